/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Options column: which socket options a row shows, and how.
 *
 * sockopt.c collects a socket's options into struct options, options.c writes
 * them. This half knows no sockets, so KUnit can reach every case of it.
 */
#ifndef KNETSTAT_OPTIONS_H
#define KNETSTAT_OPTIONS_H

#include <linux/bits.h>
#include <linux/if.h>
#include <linux/types.h>

/*
 * Every option that is shown only when it is set away from its default, in the
 * order of the column: X(name, form). Forms: DEC a signed number, UINT an
 * unsigned one, MSEC jiffies as "250ms", SEC seconds as "5s", TEXT a name,
 * TXTIME a clock and its flags as "11:0".
 */
#define OPTIONS(X)				\
	X(SO_RCVBUF, DEC)			\
	X(SO_SNDBUF, DEC)			\
	X(SO_RCVTIMEO, MSEC)			\
	X(SO_SNDTIMEO, MSEC)			\
	X(SO_LINGER, SEC)			\
	X(SO_BINDTODEVICE, TEXT)		\
	X(SO_PRIORITY, UINT)			\
	X(SO_MARK, UINT)			\
	X(SO_RCVLOWAT, DEC)			\
	X(SO_OOBINLINE, DEC)			\
	X(SO_BUSY_POLL, DEC)			\
	X(SO_MAX_PACING_RATE, UINT)		\
	X(SO_TIMESTAMPING, UINT)			\
	X(SO_ZEROCOPY, DEC)			\
	X(SO_TXTIME, TXTIME)			\
	X(SO_NO_CHECK, DEC)			\
	X(IP_TOS, DEC)				\
	X(IP_TTL, DEC)				\
	X(IP_MTU_DISCOVER, DEC)			\
	X(IP_FREEBIND, DEC)			\
	X(IP_TRANSPARENT, DEC)			\
	X(IP_BIND_ADDRESS_NO_PORT, DEC)		\
	X(IP_RECVERR, DEC)			\
	X(IPV6_V6ONLY, DEC)			\
	X(IPV6_TCLASS, DEC)			\
	X(IPV6_UNICAST_HOPS, DEC)		\
	X(IPV6_RECVERR, DEC)			\
	X(TCP_FASTOPEN, DEC)			\
	X(TCP_DEFER_ACCEPT, DEC)		\
	X(TCP_KEEPIDLE, DEC)			\
	X(TCP_KEEPINTVL, DEC)			\
	X(TCP_KEEPCNT, DEC)			\
	X(TCP_USER_TIMEOUT, UINT)		\
	X(TCP_SYNCNT, DEC)			\
	X(TCP_LINGER2, DEC)			\
	X(TCP_MAXSEG, DEC)			\
	X(TCP_CORK, DEC)			\
	X(TCP_FASTOPEN_CONNECT, DEC)		\
	X(TCP_FASTOPEN_NO_COOKIE, DEC)		\
	X(TCP_NOTSENT_LOWAT, UINT)		\
	X(TCP_SAVE_SYN, DEC)			\
	X(TCP_THIN_LINEAR_TIMEOUTS, DEC)	\
	X(TCP_REPAIR, DEC)			\
	X(TCP_CONGESTION, TEXT)			\
	X(TCP_ULP, TEXT)			\
	X(TCP_MD5SIG, DEC)			\
	X(TCP_AO, DEC)				\
	X(UDP_CORK, DEC)			\
	X(UDP_SEGMENT, DEC)			\
	X(UDP_GRO, DEC)				\
	X(UDP_ENCAP, DEC)			\
	X(UDP_NO_CHECK6_TX, DEC)		\
	X(UDP_NO_CHECK6_RX, DEC)

#define OPTION_ENUM(name, form)	OPTION_##name,
enum option {
	OPTIONS(OPTION_ENUM)
	OPTION_COUNT
};
#undef OPTION_ENUM

/* The longest name that TEXT takes: an interface's, a module's. */
#define OPTION_TEXT_MAX	16

/**
 * struct options - what a row's Options column is written from
 * @reuse: SO_REUSEADDR
 * @reuseport: SO_REUSEPORT
 * @keepalive: SO_KEEPALIVE; TCP only
 * @nodelay: TCP_NODELAY; TCP only
 * @broadcast: SO_BROADCAST; UDP only
 * @set: a bit for each enum option that is to be shown
 * @value: by enum option; undefined where @set has no bit
 * @text: by enum option, for TEXT; need not end with a NUL when it is
 *	OPTION_TEXT_MAX long
 * @ifname: room for a @text made up on the spot
 *
 * @value and @text are never cleared: a row has three or four options, and
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

/* Show @option, with a number. */
#define options_set(opts, option, number) do {				\
	(opts)->set |= BIT_ULL(OPTION_##option);			\
	(opts)->v[OPTION_##option].value = (number);			\
} while (0)

/* Show @option, with a name that lives as long as the row is written. */
#define options_set_text(opts, option, name) do {			\
	(opts)->set |= BIT_ULL(OPTION_##option);			\
	(opts)->v[OPTION_##option].text = (name);			\
} while (0)

/* SO_TXTIME's two numbers in one value. */
#define OPTIONS_TXTIME(clockid, flags)	((u64)(u32)(clockid) << 32 | (u32)(flags))

char *options_write_rest(char *p, const struct options *opts);
char *options_write_tcp(char *p, const struct options *opts);
char *options_write_udp(char *p, const struct options *opts);
unsigned int options_defer_secs(u8 retransmits);

#endif /* KNETSTAT_OPTIONS_H */
