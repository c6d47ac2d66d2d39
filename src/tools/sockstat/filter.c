// SPDX-License-Identifier: GPL-2.0
/*
 * Which rows the user asked for.
 */
#include <string.h>

#include "../lib/cgroup.h"
#include "../lib/lists.h"
#include "../lib/say.h"
#include "sockstat.h"

static bool starts(struct word word, const char *str)
{
	size_t len = strlen(str);

	return word.len >= len && !memcmp(word.at, str, len);
}

/* The options that the tables may name. */
static const char * const option_names[] = {
	"SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_BROADCAST", "SO_RCVBUF",
	"SO_SNDBUF", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_LINGER", "SO_BINDTODEVICE",
	"SO_PRIORITY", "SO_MARK", "SO_RCVLOWAT", "SO_OOBINLINE", "SO_BUSY_POLL",
	"SO_MAX_PACING_RATE", "SO_TIMESTAMPING", "SO_ZEROCOPY", "SO_TXTIME",
	"SO_NO_CHECK", "IP_TOS", "IP_TTL", "IP_MTU_DISCOVER", "IP_FREEBIND",
	"IP_TRANSPARENT", "IP_BIND_ADDRESS_NO_PORT", "IP_RECVERR", "IPV6_V6ONLY",
	"IPV6_TCLASS", "IPV6_UNICAST_HOPS", "IPV6_RECVERR", "TCP_NODELAY",
	"TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT",
	"TCP_SYNCNT", "TCP_LINGER2", "TCP_MAXSEG", "TCP_CORK", "TCP_DEFER_ACCEPT",
	"TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_NO_COOKIE",
	"TCP_NOTSENT_LOWAT", "TCP_SAVE_SYN", "TCP_THIN_LINEAR_TIMEOUTS", "TCP_REPAIR",
	"TCP_CONGESTION", "TCP_ULP", "TCP_MD5SIG", "TCP_AO", "UDP_CORK", "UDP_SEGMENT",
	"UDP_GRO", "UDP_ENCAP", "UDP_NO_CHECK6_TX", "UDP_NO_CHECK6_RX",
};

/* The protocols that know an option: who has none of it is asked of those only. */
static unsigned int protos_of(struct word name)
{
	if (starts(name, "TCP_") || word_is(name, "SO_KEEPALIVE"))
		return TCP_BITS;
	if (starts(name, "UDP_") || word_is(name, "SO_BROADCAST") ||
	    word_is(name, "SO_NO_CHECK"))
		return UDP_BITS;
	return TCP_BITS | UDP_BITS;
}

/**
 * add_wish() - a socket option that sockets must have, or must not
 * @arg: NAME, or NAME=VALUE
 * @without: must not
 */
void add_wish(const char *arg, bool without)
{
	size_t len = strcspn(arg, "="), i;
	struct wish *wish;

	opt.wishes = more(opt.wishes, opt.wish_count + 1, sizeof(*wish));
	wish = &opt.wishes[opt.wish_count++];
	*wish = (struct wish){ .without = without };
	for (i = 0; i < ARRAY_SIZE(option_names); i++)
		if (word_is((struct word){ arg, len }, option_names[i]))
			wish->name = word_of(option_names[i]);
	if (!wish->name.len || (arg[len] && !arg[len + 1]))
		usage_error("no option of sockets that the tables show, or no value of one",
			    arg);
	if (arg[len])
		wish->value = word_of(arg + len + 1);
}

/**
 * parse_held() - a list of ways in which a row comes to be
 * @arg: the list
 *
 * Return: those ways, by bit.
 */
unsigned int parse_held(const char *arg)
{
	const char *list = arg;
	unsigned int held = 0, i;
	struct word word;

	while (list_next(&list, &word)) {
		for (i = 0; i < HELDS; i++)
			if (word_is(word, held_names[i]))
				break;
		if (i == HELDS)
			usage_error("bad list (fd, queue, syn, tw, orphan, kernel, -)", arg);
		held |= BIT(i);
	}
	return held;
}

/* Whether a socket that has options is as it is asked for. */
static bool as_wished(const struct row *row)
{
	struct joined joined;
	struct word value;
	bool set;
	size_t i;

	join(row, &joined);
	if (opt.trouble && (!joined.diag.len || word_is(joined.diag, "-")))
		return false;
	if (opt.wish_count && (!joined.options.len || word_is(joined.options, "-")))
		return false;
	for (i = 0; i < opt.wish_count; i++) {
		const struct wish *wish = &opt.wishes[i];

		value = joined_option(&joined, wish->name.at);
		if (wish->value.len)
			set = value.len == wish->value.len &&
			      !memcmp(value.at, wish->value.at, value.len);
		else
			set = value.len && !word_is(value, "0");
		if (set == wish->without || !(protos_of(wish->name) & BIT(row->proto)))
			return false;
	}
	return true;
}

/* Of which namespaces rows are wanted. */
static bool in_netns(const struct row *row)
{
	return opt.all_netns || !row->netns.len || !own_netns.len ||
	       (row->netns.len == own_netns.len &&
		!memcmp(row->netns.at, own_netns.at, own_netns.len));
}

static bool is_loopback(const struct end *end)
{
	return starts(end->addr, "127.") || word_is(end->addr, "::1") ||
	       starts(end->addr, "::ffff:127.");
}

static bool is_command(struct word comm)
{
	if (word_is(comm, "-"))
		return false;
	comm = row_unescape(comm);
	/* The kernel has cut it, too. */
	return comm.len == strnlen(opt.command, COMM_MAX) &&
	       !memcmp(comm.at, opt.command, comm.len);
}

static bool is_pid(u64 pid)
{
	size_t i;

	for (i = 0; i < opt.pid_count; i++)
		if (opt.pids[i] == pid)
			return true;
	return false;
}

/* Whose it is; of a connection in TIME_WAIT that is not known. */
static bool wanted_owner(const struct row *row)
{
	if (opt.by_user && (row->uid != opt.uid || !has_owner(row)))
		return false;
	if (opt.cgroup && !cgroup_wanted(row->cgroup))
		return false;
	if (opt.pids && !is_pid(row->pid))
		return false;
	return !opt.command || (row->pid && is_command(row->comm));
}

/* A Unix socket has no port, and nothing else that those may be asked for by. */
static bool wanted_unix(const struct row *row)
{
	if (opt.ports || opt.trouble || opt.wish_count || opt.held)
		return false;
	if ((opt.connected || opt.listening) &&
	    !(opt.connected && row->peer) && !(opt.listening && row->state->listening))
		return false;
	return wanted_owner(row);
}

/**
 * wanted() - whether the user asked for a row
 * @row: the row
 *
 * Return: whether he did.
 */
bool wanted(const struct row *row)
{
	if (!(opt.protos & BIT(proto_of(row))) || !in_netns(row))
		return false;
	if (is_unix(row))
		return wanted_unix(row);
	if ((opt.connected || opt.listening) &&
	    !(opt.connected && row->state->connected) &&
	    !(opt.listening && row->state->listening && !row->foreign.port &&
	      (row->local.port || row->proto == PACKET)))
		return false;
	if (opt.held && !(opt.held & BIT(row->held)))
		return false;
	if (opt.ports && !opt.ports[row->local.port] &&
	    !opt.ports[row->foreign.port])
		return false;
	if (opt.no_loopback &&
	    (is_loopback(&row->local) || is_loopback(&row->foreign)))
		return false;
	if (!wanted_owner(row))
		return false;
	return !(opt.trouble || opt.wish_count) || as_wished(row);
}
