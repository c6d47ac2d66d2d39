// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: which the user asked for, and the column Options.
 */
#include <string.h>
#include <strings.h>

#include "../lib/say.h"
#include "sockstat.h"

#define IPV6_OPTIONS	(PORT_BITS & IPV6_BITS)

/*
 * All that the module knows, and which sockets may have them. They are shown when they are
 * set, or always; so 0 is as good as not shown, but where 0 is a setting.
 */
#define ZERO_IS_SET	BIT(31)

static const struct known {
	const char *name;
	unsigned int protos;
} known[] = {
	{ "SO_REUSEADDR",		PORT_BITS },
	{ "SO_REUSEPORT",		PORT_BITS },
	{ "SO_KEEPALIVE",		TCP_BITS },
	{ "SO_BROADCAST",		UDP_BITS },
	{ "SO_RCVBUF",			PORT_BITS },
	{ "SO_SNDBUF",			PORT_BITS },
	{ "SO_RCVTIMEO",		PORT_BITS },
	{ "SO_SNDTIMEO",		PORT_BITS },
	{ "SO_LINGER",			PORT_BITS },
	{ "SO_BINDTODEVICE",		PORT_BITS },
	{ "SO_PRIORITY",		PORT_BITS },
	{ "SO_MARK",			PORT_BITS },
	{ "SO_RCVLOWAT",		PORT_BITS },
	{ "SO_OOBINLINE",		PORT_BITS },
	{ "SO_BUSY_POLL",		PORT_BITS },
	{ "SO_MAX_PACING_RATE",		PORT_BITS },
	{ "SO_TIMESTAMPING",		PORT_BITS },
	{ "SO_ZEROCOPY",		PORT_BITS },
	{ "SO_TXTIME",			PORT_BITS },
	{ "SO_NO_CHECK",		PORT_BITS },
	{ "IP_TOS",			PORT_BITS },
	{ "IP_TTL",			PORT_BITS },
	{ "IP_MTU_DISCOVER",		PORT_BITS | ZERO_IS_SET },
	{ "IP_FREEBIND",		PORT_BITS },
	{ "IP_TRANSPARENT",		PORT_BITS },
	{ "IP_BIND_ADDRESS_NO_PORT",	PORT_BITS },
	{ "IP_RECVERR",			PORT_BITS },
	{ "IPV6_V6ONLY",		IPV6_OPTIONS },
	{ "IPV6_TCLASS",		IPV6_OPTIONS },
	{ "IPV6_UNICAST_HOPS",		IPV6_OPTIONS },
	{ "IPV6_RECVERR",		IPV6_OPTIONS },
	{ "TCP_NODELAY",		TCP_BITS },
	{ "TCP_FASTOPEN",		TCP_BITS },
	{ "TCP_DEFER_ACCEPT",		TCP_BITS },
	{ "TCP_KEEPIDLE",		TCP_BITS },
	{ "TCP_KEEPINTVL",		TCP_BITS },
	{ "TCP_KEEPCNT",		TCP_BITS },
	{ "TCP_USER_TIMEOUT",		TCP_BITS },
	{ "TCP_SYNCNT",			TCP_BITS },
	{ "TCP_LINGER2",		TCP_BITS },
	{ "TCP_MAXSEG",			TCP_BITS },
	{ "TCP_CORK",			TCP_BITS },
	{ "TCP_FASTOPEN_CONNECT",	TCP_BITS },
	{ "TCP_FASTOPEN_NO_COOKIE",	TCP_BITS },
	{ "TCP_NOTSENT_LOWAT",		TCP_BITS },
	{ "TCP_SAVE_SYN",		TCP_BITS },
	{ "TCP_THIN_LINEAR_TIMEOUTS",	TCP_BITS },
	{ "TCP_REPAIR",			TCP_BITS },
	{ "TCP_CONGESTION",		TCP_BITS },
	{ "TCP_ULP",			TCP_BITS },
	{ "TCP_MD5SIG",			TCP_BITS },
	{ "TCP_AO",			TCP_BITS },
	{ "UDP_CORK",			UDP_BITS },
	{ "UDP_SEGMENT",		UDP_BITS },
	{ "UDP_GRO",			UDP_BITS },
	{ "UDP_ENCAP",			UDP_BITS },
	{ "UDP_NO_CHECK6_TX",		UDP_BITS },
	{ "UDP_NO_CHECK6_RX",		UDP_BITS },
};

/**
 * struct asked - an option that was asked for
 * @known: it
 * @name: its name
 * @value: what it must be; empty: anything that is set
 * @with: whether it must be so, or must not
 */
static struct asked {
	const struct known *known;
	struct word name;
	struct word value;
	bool with;
} *asked;
static size_t asked_count;

/**
 * want_option() - ask for sockets with an option, or without
 * @arg: its name, in any case; or NAME=VALUE
 * @with: whether they must have it; else they must not
 */
void want_option(const char *arg, bool with)
{
	size_t len = strcspn(arg, "="), i;
	const char *value = arg[len] ? arg + len + 1 : "";
	struct word word;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len && !strncasecmp(known[i].name, arg, len))
			break;
	if (i == ARRAY_SIZE(known))
		usage_error("unknown socket option (sockstat(8) has a list)", arg);
	word = word_of(value);
	if (arg[len] && (!word.len || value[strcspn(value, ", \t\n")]))
		usage_error("bad value of a socket option", arg);
	asked = more(asked, asked_count + 1, sizeof(*asked));
	asked[asked_count++] = (struct asked){
		&known[i], word_of(known[i].name), word, with,
	};
}

/**
 * options_filtered() - whether sockets with options, or without, were asked for
 *
 * Return: whether they were.
 */
bool options_filtered(void)
{
	return asked_count;
}

/**
 * options_protos() - which sockets may have all the options that were asked for
 *
 * Return: their protocols, by bit.
 */
unsigned int options_protos(void)
{
	unsigned int protos = PORT_BITS;
	size_t i;

	for (i = 0; i < asked_count; i++)
		protos &= asked[i].known->protos;
	return protos;
}

/**
 * option_value() - the value of an option
 * @list: the column Options
 * @name: the option's name
 *
 * Return: its value; nothing if it is not there.
 */
struct word option_value(struct word list, struct word name)
{
	const char *p = list.at, *end = list.at + list.len, *comma;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', end - p) ?: end;
		/* All names have four bytes, and most another fourth one. */
		if ((size_t)(comma - p) > name.len && p[name.len] == '=' &&
		    p[3] == name.at[3] && !memcmp(p, name.at, name.len))
			return (struct word){ p + name.len + 1, comma - p - name.len - 1 };
	}
	return (struct word){ };
}

static bool is_set(const struct asked *one, struct word value)
{
	if (one->value.len)
		return value.len == one->value.len &&
		       !memcmp(value.at, one->value.at, value.len);
	return value.len && (one->known->protos & ZERO_IS_SET || !word_is(value, "0"));
}

/**
 * options_wanted() - whether a socket has the options that were asked for
 * @options: the column Options
 *
 * Return: whether it has; what has no options is not known to lack one.
 */
bool options_wanted(struct word options)
{
	size_t i;

	if (!asked_count)
		return true;
	if (word_is(options, "-"))
		return false;
	for (i = 0; i < asked_count; i++)
		if (is_set(&asked[i], option_value(options, asked[i].name)) !=
		    asked[i].with)
			return false;
	return true;
}
