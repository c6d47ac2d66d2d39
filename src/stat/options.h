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

/*
 * Every option that is shown only when it is set away from its default, in the
 * order of the column.
 */
enum option {
	OPTION_SO_RCVBUF,
	OPTION_SO_SNDBUF,
	OPTION_SO_RCVTIMEO,
	OPTION_SO_SNDTIMEO,
	OPTION_SO_LINGER,
	OPTION_SO_BINDTODEVICE,
	OPTION_SO_PRIORITY,
	OPTION_SO_MARK,
	OPTION_SO_RCVLOWAT,
	OPTION_SO_OOBINLINE,
	OPTION_SO_BUSY_POLL,
	OPTION_SO_MAX_PACING_RATE,
	OPTION_SO_TIMESTAMPING,
	OPTION_SO_ZEROCOPY,
	OPTION_SO_TXTIME,
	OPTION_SO_NO_CHECK,
	OPTION_IP_TOS,
	OPTION_IP_TTL,
	OPTION_IP_MTU_DISCOVER,
	OPTION_IP_FREEBIND,
	OPTION_IP_TRANSPARENT,
	OPTION_IP_BIND_ADDRESS_NO_PORT,
	OPTION_IP_RECVERR,
	OPTION_IPV6_V6ONLY,
	OPTION_IPV6_TCLASS,
	OPTION_IPV6_UNICAST_HOPS,
	OPTION_IPV6_RECVERR,
	OPTION_TCP_FASTOPEN,
	OPTION_TCP_DEFER_ACCEPT,
	OPTION_TCP_KEEPIDLE,
	OPTION_TCP_KEEPINTVL,
	OPTION_TCP_KEEPCNT,
	OPTION_TCP_USER_TIMEOUT,
	OPTION_TCP_SYNCNT,
	OPTION_TCP_LINGER2,
	OPTION_TCP_MAXSEG,
	OPTION_TCP_CORK,
	OPTION_TCP_FASTOPEN_CONNECT,
	OPTION_TCP_FASTOPEN_NO_COOKIE,
	OPTION_TCP_NOTSENT_LOWAT,
	OPTION_TCP_SAVE_SYN,
	OPTION_TCP_THIN_LINEAR_TIMEOUTS,
	OPTION_TCP_REPAIR,
	OPTION_TCP_CONGESTION,
	OPTION_TCP_ULP,
	OPTION_TCP_MD5SIG,
	OPTION_TCP_AO,
	OPTION_UDP_CORK,
	OPTION_UDP_SEGMENT,
	OPTION_UDP_GRO,
	OPTION_UDP_ENCAP,
	OPTION_UDP_NO_CHECK6_TX,
	OPTION_UDP_NO_CHECK6_RX,
	OPTION_COUNT
};

/* The longest name: an interface's, a module's. */
#define OPTION_TEXT_MAX	16

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
