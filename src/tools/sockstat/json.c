// SPDX-License-Identifier: GPL-2.0
/*
 * How a row is printed as a JSON object. Missing values are null.
 */
#include <string.h>

#include "../lib/cgroup.h"
#include "../lib/json.h"
#include "../lib/output.h"
#include "../lib/user.h"
#include "sockstat.h"

static void key(const char *name)
{
	json_key(&out.text, name);
}

static void number(const char *name, u64 value)
{
	json_number(&out.text, name, value);
}

static void text_member(const char *name, struct word value)
{
	json_text(&out.text, name, value);
}

static void string(const char *name, const char *value)
{
	text_member(name, value ? word_of(value) : (struct word){ });
}

/* A number as it is; null where there is none. */
static void field(const char *name, struct word value)
{
	key(name);
	if (json_is_number(value))
		text_add(&out.text, value.at, value.len);
	else
		text_add_str(&out.text, "null");
}

/* The next word of a list; false at its end. */
static bool next_of(struct word *list, struct word *one)
{
	const char *comma = memchr(list->at, ',', list->len);

	one->at = list->at;
	one->len = comma ? (size_t)(comma - list->at) : list->len;
	list->at += one->len + !!comma;
	list->len -= one->len + !!comma;
	return one->len;
}

/* The marks of Diag as an array. */
static void json_list(const char *name, struct word list)
{
	const char *between = "[";
	struct word one;

	key(name);
	if (word_is(list, "-"))
		list.len = 0;
	else if (!list.len)
		between = "null";
	while (list.len && next_of(&list, &one)) {
		text_add_str(&out.text, between);
		json_string(&out.text, one);
		between = ",";
	}
	if (*between == '[')
		text_add_str(&out.text, "[]");
	else
		text_add_str(&out.text, *between == ',' ? "]" : between);
}

/* The options as an object: numbers as such, and strings. */
static void json_options(struct word list)
{
	char separator = '{';
	struct word one, value;
	size_t len;

	key("options");
	if (!list.len || word_is(list, "-")) {
		text_add_str(&out.text, "null");
		return;
	}
	while (list.len && next_of(&list, &one)) {
		for (len = 0; len < one.len && one.at[len] != '='; len++)
			;
		value = (struct word){ one.at + len + 1,
				       one.len > len ? one.len - len - 1 : 0 };
		text_add(&out.text, &separator, 1);
		json_string(&out.text, (struct word){ one.at, len });
		text_add(&out.text, ":", 1);
		if (json_is_number(value))
			text_add(&out.text, value.at, value.len);
		else
			json_string(&out.text, row_unescape(value));
		separator = ',';
	}
	text_add(&out.text, "}", 1);
}

static void json_holder(const struct row *row)
{
	if (!row->pid) {
		text_add_str(&out.text, ",\"pid\":null,\"comm\":null,\"fd\":null");
		return;
	}
	number("pid", row->pid);
	text_member("comm", word_is(row->comm, "-") ? (struct word){ } :
						      row_unescape(row->comm));
	key("fd");
	text_add_word(&out.text, row->fd);
}

static void json_arguments(const struct row *row)
{
	struct word rest, one;
	const char *end;

	rest = row->pid ? arguments(row->pid) : (struct word){ };
	key("args");
	if (!rest.len) {
		text_add_str(&out.text, "null");
		return;
	}
	text_add(&out.text, "[", 1);
	for (;;) {
		end = memchr(rest.at, '\0', rest.len);
		one.at = rest.at;
		one.len = end ? (size_t)(end - rest.at) : rest.len;
		json_string(&out.text, one);
		if (!end)
			break;
		text_add(&out.text, ",", 1);
		rest.at += one.len + 1;
		rest.len -= one.len + 1;
	}
	text_add(&out.text, "]", 1);
}

/* What only Unix sockets have, and the end of the row. */
static void json_unix(const struct row *row)
{
	const struct row *peer = peer_of(row);

	text_member("path", word_is(row->local.whole, "-") ?
			    (struct word){ } : row_unescape(row->local.whole));
	number("inode", row->inode);
	if (row->cgroup)
		number("cgroup", row->cgroup);
	else
		field("cgroup", (struct word){ });
	if (row->peer)
		number("peer", row->peer);
	else
		field("peer", (struct word){ });
	if (peer && peer->pid) {
		number("peer_pid", peer->pid);
		text_member("peer_comm", row_unescape(peer->comm));
		field("peer_fd", peer->fd);
	} else if (row->peer) {
		field("peer_pid", (struct word){ });
		string("peer_comm", NULL);
		field("peer_fd", (struct word){ });
	}
	if (opt.shown & BIT(C_ARGUMENTS))
		json_arguments(row);
	json_row_end(&out.text);
}

/**
 * print_json() - print a row as an object
 * @row: the row
 */
void print_json(const struct row *row)
{
	const char *user = NULL, *path;
	struct joined joined;

	if (!opt.numeric && has_owner(row))
		user = user_name(row->uid);
	json_row(&out.text);
	if (opt.shown & JOINED_BITS)
		join(row, &joined);
	if (opt.shown & BIT(C_NETNS) || row->netns.len)
		field("netns", row->netns.len ? row->netns : own_netns);
	number("uid", row->uid);
	string("user", user);
	json_holder(row);
	string("proto", proto_names[row->proto]);
	string("stat", *row->state->stat == '-' ? NULL : row->state->stat);
	if (is_unix(row)) {
		json_unix(row);
		return;
	}
	text_member("laddr", row->local.addr);
	number("lport", row->local.port);
	text_member("raddr", row->foreign.addr);
	number("rport", row->foreign.port);
	if (row->local.iface.len || row->foreign.iface.len)
		text_member("iface", row_unescape(row->local.iface.len ? row->local.iface :
									row->foreign.iface));
	number("inode", row->inode);
	if (row->netns.len) {
		string("held", row->held ? held_names[row->held] : NULL);
		if (row->cgroup)
			number("cgroup", row->cgroup);
		else
			field("cgroup", (struct word){ });
	}
	if (opt.shown & BIT(C_CGROUP)) {
		path = row->cgroup ? cgroup_path(row->cgroup) : NULL;
		string("cgroup_path", path);
	}
	if (opt.shown & BIT(C_RECV_Q))
		field("recv_q", joined.recv_q);
	if (opt.shown & BIT(C_SEND_Q))
		field("send_q", joined.send_q);
	if (opt.shown & BIT(C_DIAG))
		json_list("diag", joined.diag);
	if (opt.shown & BIT(C_DROPS))
		field("drops", joined.drops);
	if (opt.shown & BIT(C_OPTIONS))
		json_options(joined.options);
	if (opt.shown & BIT(C_CC))
		text_member("congestion", congestion_of(row, &joined));
	if (opt.shown & BIT(C_ARGUMENTS))
		json_arguments(row);
	json_row_end(&out.text);
}
