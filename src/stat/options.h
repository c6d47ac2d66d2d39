/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Options column: which socket options a row shows, and how.
 *
 * sockopt.c collects a socket's options into struct options, options.c writes
 * them. This half knows no sockets, so KUnit can reach every case of it.
 */
#ifndef KNETSTAT_STAT_OPTIONS_H
#define KNETSTAT_STAT_OPTIONS_H

#include <linux/bits.h>
#include <linux/if.h>
#include <linux/types.h>

#include "field.h"

/* The longest name: an interface's, a module's. */
#define OPTION_TEXT_MAX	16

/* How a value is written. */
enum option_form {
	FORM_DEC,	/* an int */
	FORM_UINT,	/* an unsigned number */
	FORM_MSEC,	/* jiffies, as "250ms" */
	FORM_SEC,	/* seconds, as "5s" */
	FORM_TEXT,	/* a name */
	FORM_TXTIME,	/* a clock and its flags, as "11:0" */
};

/* The most bytes of each. */
#define FORM_DEC_MAX	11
#define FORM_UINT_MAX	FIELD_U64_MAX
#define FORM_MSEC_MAX	(FIELD_U64_MAX + 2)
#define FORM_SEC_MAX	(FORM_DEC_MAX + 1)
#define FORM_TEXT_MAX	(4 * OPTION_TEXT_MAX)	/* each byte as \ooo */
#define FORM_TXTIME_MAX	(11 + 1 + 10)

/*
 * Every option that is shown only when it is set away from its default, in the
 * order of the column, and its form.
 */
#define OPTION_LIST(OPTION)				\
	OPTION(SO_RCVBUF, DEC)				\
	OPTION(SO_SNDBUF, DEC)				\
	OPTION(SO_RCVTIMEO, MSEC)			\
	OPTION(SO_SNDTIMEO, MSEC)			\
	OPTION(SO_LINGER, SEC)				\
	OPTION(SO_BINDTODEVICE, TEXT)			\
	OPTION(SO_PRIORITY, UINT)			\
	OPTION(SO_MARK, UINT)				\
	OPTION(SO_RCVLOWAT, DEC)			\
	OPTION(SO_OOBINLINE, DEC)			\
	OPTION(SO_BUSY_POLL, DEC)			\
	OPTION(SO_MAX_PACING_RATE, UINT)		\
	OPTION(SO_TIMESTAMPING, UINT)			\
	OPTION(SO_ZEROCOPY, DEC)			\
	OPTION(SO_TXTIME, TXTIME)			\
	OPTION(SO_NO_CHECK, DEC)			\
	OPTION(IP_TOS, DEC)				\
	OPTION(IP_TTL, DEC)				\
	OPTION(IP_MTU_DISCOVER, DEC)			\
	OPTION(IP_FREEBIND, DEC)			\
	OPTION(IP_TRANSPARENT, DEC)			\
	OPTION(IP_BIND_ADDRESS_NO_PORT, DEC)		\
	OPTION(IP_RECVERR, DEC)				\
	OPTION(IPV6_V6ONLY, DEC)			\
	OPTION(IPV6_TCLASS, DEC)			\
	OPTION(IPV6_UNICAST_HOPS, DEC)			\
	OPTION(IPV6_RECVERR, DEC)			\
	OPTION(TCP_FASTOPEN, DEC)			\
	OPTION(TCP_DEFER_ACCEPT, DEC)			\
	OPTION(TCP_KEEPIDLE, DEC)			\
	OPTION(TCP_KEEPINTVL, DEC)			\
	OPTION(TCP_KEEPCNT, DEC)			\
	OPTION(TCP_USER_TIMEOUT, UINT)			\
	OPTION(TCP_SYNCNT, DEC)				\
	OPTION(TCP_LINGER2, DEC)			\
	OPTION(TCP_MAXSEG, DEC)				\
	OPTION(TCP_CORK, DEC)				\
	OPTION(TCP_FASTOPEN_CONNECT, DEC)		\
	OPTION(TCP_FASTOPEN_NO_COOKIE, DEC)		\
	OPTION(TCP_NOTSENT_LOWAT, UINT)			\
	OPTION(TCP_SAVE_SYN, DEC)			\
	OPTION(TCP_THIN_LINEAR_TIMEOUTS, DEC)		\
	OPTION(TCP_REPAIR, DEC)				\
	OPTION(TCP_CONGESTION, TEXT)			\
	OPTION(TCP_ULP, TEXT)				\
	OPTION(TCP_MD5SIG, DEC)				\
	OPTION(TCP_AO, DEC)				\
	OPTION(UDP_CORK, DEC)				\
	OPTION(UDP_SEGMENT, DEC)			\
	OPTION(UDP_GRO, DEC)				\
	OPTION(UDP_ENCAP, DEC)				\
	OPTION(UDP_NO_CHECK6_TX, DEC)			\
	OPTION(UDP_NO_CHECK6_RX, DEC)

enum option {
#define OPTION_NUMBER(name, form)	OPTION_##name,
	OPTION_LIST(OPTION_NUMBER)
#undef OPTION_NUMBER
	OPTION_COUNT
};

/* The most bytes that they take together, each with a comma before it. */
#define OPTION_WIDTH(name, form)	+ sizeof("," #name "=") - 1 + FORM_##form##_MAX
#define OPTIONS_REST_MAX		(0 OPTION_LIST(OPTION_WIDTH))

/* What is on every row; the zeros are where the options' values go. */
#define OPTIONS_TCP_ALWAYS \
	"SO_REUSEADDR=0,SO_REUSEPORT=0,SO_KEEPALIVE=0,TCP_NODELAY=0"
#define OPTIONS_UDP_ALWAYS \
	"SO_REUSEADDR=0,SO_REUSEPORT=0,SO_BROADCAST=0"

/**
 * struct options - what a row's Options column is written from
 * @reuse: SO_REUSEADDR
 * @reuseport: SO_REUSEPORT
 * @keepalive: SO_KEEPALIVE; TCP only
 * @nodelay: TCP_NODELAY; TCP only
 * @broadcast: SO_BROADCAST; UDP only
 * @set: a bit for each enum option that is to be shown
 * @v: by enum option; undefined where @set has no bit
 * @v.value: its value
 * @v.text: its value if that is a name; need not end with a NUL when it is
 *	OPTION_TEXT_MAX long
 * @ifname: room for a name made up on the spot
 *
 * @v is never cleared: a row has three or four options, and
 * clearing sixty fields for them would cost more than writing the row.
 */
struct options {
	u8 reuse, reuseport, keepalive, nodelay, broadcast;
	u64 set;
	union {
		u64 value;
		const char *text;
	} v[OPTION_COUNT];
	char ifname[IFNAMSIZ];
};

/**
 * options_set() - show an option, with a number
 * @opts: the options
 * @option: the option
 * @number: its value
 */
static __always_inline void options_set(struct options *opts,
					enum option option, u64 number)
{
	opts->set |= BIT_ULL(option);
	opts->v[option].value = number;
}

/**
 * options_set_text() - show an option, with a name
 * @opts: the options
 * @option: the option
 * @name: its value; it must live until the row is written
 */
static __always_inline void options_set_text(struct options *opts,
					     enum option option,
					     const char *name)
{
	opts->set |= BIT_ULL(option);
	opts->v[option].text = name;
}

/* SO_TXTIME's two numbers in one value. */
#define OPTIONS_TXTIME(clockid, flags)	((u64)(u32)(clockid) << 32 | (u32)(flags))

char *options_write_rest(char *p, const struct options *opts);
char *options_write_tcp(char *p, const struct options *opts);
char *options_write_udp(char *p, const struct options *opts);
unsigned int options_defer_secs(u8 retransmits);

#endif /* KNETSTAT_STAT_OPTIONS_H */
