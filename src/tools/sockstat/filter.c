// SPDX-License-Identifier: GPL-2.0
/*
 * Which rows the user asked for.
 */
#include <string.h>

#include "sockstat.h"

static bool starts(struct word word, const char *str)
{
	size_t len = strlen(str);

	return word.len >= len && !memcmp(word.at, str, len);
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

/**
 * wanted() - whether the user asked for a row
 * @row: the row
 *
 * Return: whether he did.
 */
bool wanted(const struct row *row)
{
	if (!(opt.protos & BIT(row->proto)))
		return false;
	if ((opt.connected || opt.listening) &&
	    !(opt.connected && row->state->connected) &&
	    !(opt.listening && row->state->listening && row->local.port))
		return false;
	if (opt.ports && !opt.ports[row->local.port] &&
	    !opt.ports[row->foreign.port])
		return false;
	if (opt.no_loopback &&
	    (is_loopback(&row->local) || is_loopback(&row->foreign)))
		return false;
	if (opt.by_user && (row->uid != opt.uid || !has_owner(row)))
		return false;
	if (opt.pids && !is_pid(row->pid))
		return false;
	return !opt.command || (row->pid && is_command(row->comm));
}
