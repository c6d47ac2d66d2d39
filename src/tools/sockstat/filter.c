// SPDX-License-Identifier: GPL-2.0
/*
 * Which rows the user asked for.
 */
#include <string.h>

#include "../lib/cgroup.h"
#include "sockstat.h"

static bool is_loopback(const struct end *end)
{
	const char *addr = end->whole.at + end->mapped;
	size_t len = end->colon - end->mapped;
	const char *iface = memchr(addr, '%', len);

	if (iface)
		len = iface - addr;
	return (len > 4 && !memcmp(addr, "127.", 4)) ||
	       (len == 3 && !memcmp(addr, "::1", 3));
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

/**
 * tables_wanted() - whether the four tables are needed
 *
 * Return: whether they are.
 */
bool tables_wanted(void)
{
	return opt.shown & JOINED_COLUMNS || opt.trouble || options_filtered();
}

static bool has_ports(const struct row *row)
{
	return BIT(row->proto) & PORT_BITS;
}

/* As FreeBSD has it: what has a foreign port. Others have a state that tells. */
static bool is_connected(const struct row *row)
{
	if (has_ports(row))
		return row->foreign.port;
	return row->peer || !strcmp(row->state->stat, "ESTB");
}

/* Bound to something that others can reach it by. */
static bool is_bound(const struct row *row)
{
	if (has_ports(row))
		return row->local.port;
	return !is_unix(row) || !word_is(row->path, "-");
}

/* Whether -p and -L, which are about internet sockets, let a row through. */
static bool ends_wanted(const struct row *row)
{
	if (is_unix(row))
		return true;
	if (opt.ports && (!has_ports(row) || (!opt.ports[row->local.port] &&
					      !opt.ports[row->foreign.port])))
		return false;
	return !opt.no_loopback ||
	       (!is_loopback(&row->local) && !is_loopback(&row->foreign));
}

/* Whether there is more to look at than the protocol: on most runs there isn't. */
static bool filtered;

/**
 * filter_begin() - take note of what the user asked for; before the first row
 */
void filter_begin(void)
{
	filtered = opt.connected || opt.listening || opt.ports || opt.no_loopback ||
		   opt.by_user || opt.pids || opt.held || opt.command || opt.cgroup;
}

/* Whether a row is asked for, as far as its own file tells. */
static bool is_wanted(const struct row *row)
{
	if (!(opt.protos & BIT(row->proto)))
		return false;
	/* The file may be the host's, with all of them; an older module does not say which. */
	if (opt.netns_only && row->netns && row->netns != opt.netns_only)
		return false;
	if (!filtered)
		return true;
	if (opt.connected && !is_connected(row))
		return false;
	if (opt.listening && (is_connected(row) || !is_bound(row)))
		return false;
	if ((opt.ports || opt.no_loopback) && !ends_wanted(row))
		return false;
	if (opt.by_user && (row->uid != opt.uid || !has_owner(row)))
		return false;
	if (opt.pids && !is_pid(row->pid))
		return false;
	if (opt.held && !(opt.held & BIT(row->held)))
		return false;
	if (opt.command && (!row->pid || !is_command(row->comm)))
		return false;
	return !opt.cgroup || (row->cgroup && cgroup_wanted(row->cgroup));
}

/**
 * next_wanted() - go to the next row that the user asked for
 * @row: the row; it knows the one before
 *
 * Return: false at the end.
 */
bool next_wanted(struct row *row)
{
	while (rows_next(row)) {
		if (!is_wanted(row))
			continue;
		if (!tables_wanted())
			return true;
		join_row(row);
		/* What is not asked for was not kept. */
		if (row->joined || (!opt.trouble && !options_filtered()))
			return true;
	}
	return false;
}
