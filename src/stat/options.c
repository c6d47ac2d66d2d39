// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the Options column. See options.h.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include "field.h"
#include "options.h"

/*
 * How a value is written: DEC a signed number, UINT an unsigned one, MSEC
 * jiffies as "250ms", SEC seconds as "5s", TEXT a name, TXTIME a clock and its
 * flags as "11:0".
 */
enum form { DEC, UINT, MSEC, SEC, TEXT, TXTIME };

struct option_name {
	char text[29];		/* ",NAME=" */
	u8 length;
	u8 form;
};

#define NAME(option, form) { "," option "=", sizeof("," option "=") - 1, form }

/* In the order of enum option. */
static const struct option_name names[] = {
	NAME("SO_RCVBUF", DEC),
	NAME("SO_SNDBUF", DEC),
	NAME("SO_RCVTIMEO", MSEC),
	NAME("SO_SNDTIMEO", MSEC),
	NAME("SO_LINGER", SEC),
	NAME("SO_BINDTODEVICE", TEXT),
	NAME("SO_PRIORITY", UINT),
	NAME("SO_MARK", UINT),
	NAME("SO_RCVLOWAT", DEC),
	NAME("SO_OOBINLINE", DEC),
	NAME("SO_BUSY_POLL", DEC),
	NAME("SO_MAX_PACING_RATE", UINT),
	NAME("SO_TIMESTAMPING", UINT),
	NAME("SO_ZEROCOPY", DEC),
	NAME("SO_TXTIME", TXTIME),
	NAME("SO_NO_CHECK", DEC),
	NAME("IP_TOS", DEC),
	NAME("IP_TTL", DEC),
	NAME("IP_MTU_DISCOVER", DEC),
	NAME("IP_FREEBIND", DEC),
	NAME("IP_TRANSPARENT", DEC),
	NAME("IP_BIND_ADDRESS_NO_PORT", DEC),
	NAME("IP_RECVERR", DEC),
	NAME("IPV6_V6ONLY", DEC),
	NAME("IPV6_TCLASS", DEC),
	NAME("IPV6_UNICAST_HOPS", DEC),
	NAME("IPV6_RECVERR", DEC),
	NAME("TCP_FASTOPEN", DEC),
	NAME("TCP_DEFER_ACCEPT", DEC),
	NAME("TCP_KEEPIDLE", DEC),
	NAME("TCP_KEEPINTVL", DEC),
	NAME("TCP_KEEPCNT", DEC),
	NAME("TCP_USER_TIMEOUT", UINT),
	NAME("TCP_SYNCNT", DEC),
	NAME("TCP_LINGER2", DEC),
	NAME("TCP_MAXSEG", DEC),
	NAME("TCP_CORK", DEC),
	NAME("TCP_FASTOPEN_CONNECT", DEC),
	NAME("TCP_FASTOPEN_NO_COOKIE", DEC),
	NAME("TCP_NOTSENT_LOWAT", UINT),
	NAME("TCP_SAVE_SYN", DEC),
	NAME("TCP_THIN_LINEAR_TIMEOUTS", DEC),
	NAME("TCP_REPAIR", DEC),
	NAME("TCP_CONGESTION", TEXT),
	NAME("TCP_ULP", TEXT),
	NAME("TCP_MD5SIG", DEC),
	NAME("TCP_AO", DEC),
	NAME("UDP_CORK", DEC),
	NAME("UDP_SEGMENT", DEC),
	NAME("UDP_GRO", DEC),
	NAME("UDP_ENCAP", DEC),
	NAME("UDP_NO_CHECK6_TX", DEC),
	NAME("UDP_NO_CHECK6_RX", DEC),
};

#undef NAME

static_assert(ARRAY_SIZE(names) == OPTION_COUNT);
static_assert(OPTION_COUNT <= 64, "struct options has one u64 of them");

/* Whole milliseconds, cut downwards as getsockopt cuts microseconds. */
static char *put_msec(char *p, unsigned long ticks)
{
	unsigned long secs = ticks / HZ;
	unsigned int ms = ticks % HZ * MSEC_PER_SEC / HZ;

	/* Apart, because the longest timeout's milliseconds overflow. */
	if (secs) {
		p = field_u64(p, secs);
		*p++ = '0' + ms / 100;
		*p++ = '0' + ms / 10 % 10;
		*p++ = '0' + ms % 10;
	} else {
		p = field_u64(p, ms);
	}
	return field_str(p, "ms");
}

/**
 * options_write_rest() - write the options that are in @opts->set
 * @p: where to write
 * @opts: the options
 *
 * Each comes with a comma before it.
 *
 * Return: the byte after the last character.
 */
char *options_write_rest(char *p, const struct options *opts)
{
	u64 set = opts->set;

	for (; set; set &= set - 1) {
		unsigned int i = __ffs64(set);
		const struct option_name *name = &names[i];
		u64 value = opts->v[i].value;

		memcpy(p, name->text, sizeof(name->text));
		p += name->length;
		switch ((enum form)name->form) {
		case DEC:
			p = field_s64(p, (s64)value);
			break;
		case UINT:
			p = field_u64(p, value);
			break;
		case MSEC:
			p = put_msec(p, value);
			break;
		case SEC:
			p = field_s64(p, (s64)value);
			*p++ = 's';
			break;
		case TEXT:
			p = field_text(p, opts->v[i].text, OPTION_TEXT_MAX,
				       ',');
			break;
		case TXTIME:
			p = field_s64(p, (s32)(value >> 32));
			*p++ = ':';
			p = field_u64(p, (u32)value);
			break;
		}
	}
	return p;
}

/**
 * options_write_tcp() - write the Options column of a TCP socket
 * @p: where to write
 * @opts: the options
 *
 * Return: the byte after the last character.
 */
char *options_write_tcp(char *p, const struct options *opts)
{
	static const char always[] =
		"SO_REUSEADDR=0,SO_REUSEPORT=0,SO_KEEPALIVE=0,TCP_NODELAY=0";

	/* One copy and four digits: this is on every row. */
	memcpy(p, always, sizeof(always) - 1);
	p[13] += opts->reuse;
	p[28] += opts->reuseport;
	p[43] += opts->keepalive;
	p[57] += opts->nodelay;
	p += sizeof(always) - 1;
	return opts->set ? options_write_rest(p, opts) : p;
}

/**
 * options_write_udp() - write the Options column of a UDP socket
 * @p: where to write
 * @opts: the options
 *
 * Return: the byte after the last character.
 */
char *options_write_udp(char *p, const struct options *opts)
{
	static const char always[] =
		"SO_REUSEADDR=0,SO_REUSEPORT=0,SO_BROADCAST=0";

	memcpy(p, always, sizeof(always) - 1);
	p[13] += opts->reuse;
	p[28] += opts->reuseport;
	p[43] += opts->broadcast;
	p += sizeof(always) - 1;
	return opts->set ? options_write_rest(p, opts) : p;
}

/**
 * options_defer_secs() - TCP_DEFER_ACCEPT as getsockopt tells it
 * @retransmits: SYN-ACK retransmissions that the kernel keeps instead
 *
 * The sum of that many timeouts, the first of one second (TCP_TIMEOUT_INIT),
 * each twice the one before, none above 120 seconds (TCP_RTO_MAX): the inverse
 * of what tcp(7)'s setsockopt does with seconds.
 *
 * Return: seconds.
 */
unsigned int options_defer_secs(u8 retransmits)
{
	unsigned int timeout = 1, secs = 0;

	while (retransmits--) {
		secs += timeout;
		timeout = min(timeout * 2, 120U);
	}
	return secs;
}
