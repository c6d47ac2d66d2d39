// SPDX-License-Identifier: GPL-2.0
/*
 * How a row is printed as a JSON object. Missing values are null.
 */
#include <string.h>

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

/**
 * print_json() - print a row as an object
 * @row: the row
 */
void print_json(const struct row *row)
{
	const char *user = NULL;

	if (!opt.numeric && has_owner(row))
		user = user_name(row->uid);
	if (opt.shown & BIT(C_NETNS)) {
		key("netns");
		if (netns_inode)
			text_add_number(&out.text, netns_inode);
		else
			text_add_str(&out.text, "null");
	}
	number("uid", row->uid);
	string("user", user);
	json_holder(row);
	string("proto", proto_names[row->proto]);
	string("stat", *row->state->stat == '-' ? NULL : row->state->stat);
	text_member("laddr", row->local.addr);
	number("lport", row->local.port);
	text_member("raddr", row->foreign.addr);
	number("rport", row->foreign.port);
	number("inode", row->inode);
	if (opt.shown & BIT(C_CC))
		string("congestion", congestion_of(row));
	if (opt.shown & BIT(C_ARGUMENTS))
		json_arguments(row);
	text_add(&out.text, "}\n", 2);
}
