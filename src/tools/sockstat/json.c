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

/* As an empty field is in the file. */
#define NOTHING	((struct word){ "-", 1 })

static void null(void)
{
	text_add_str(&out.text, "null");
}

static void text_member(const char *name, struct word value)
{
	json_text(&out.text, name, value);
}

static void string(const char *name, const char *value)
{
	text_member(name, value ? word_of(value) : (struct word){ });
}

/* A number; null where it is 0. */
static void number_if_any(const char *name, u64 value)
{
	json_key(&out.text, name);
	if (value)
		text_add_number(&out.text, value);
	else
		null();
}

/* A field of the file's; "-" is null. */
static void field(const char *name, struct word value)
{
	text_member(name, word_is(value, "-") ? (struct word){ } : row_unescape(value));
}

/* A field of the file's that is a number as it stands there. */
static void number_field(const char *name, struct word value)
{
	json_key(&out.text, name);
	if (json_is_number(value))
		text_add(&out.text, value.at, value.len);
	else
		null();
}

/* Who has a socket; @names are those of the three members. */
static void holder(const char * const names[3], u64 pid, struct word comm, struct word fd)
{
	number_if_any(names[0], pid);
	field(names[1], pid ? comm : NOTHING);
	number_field(names[2], fd);
}

/* An address and a port, which is text where there are no ports, as of packet sockets. */
static void end(const struct row *row, const struct end *end, const char *addr,
		const char *port)
{
	const char *stop = end->whole.at + end->whole.len;
	const char *colon = end->whole.at + end->colon;
	struct word name = { end->whole.at + end->mapped, end->colon - end->mapped };

	/* The other end of what is bound to a mapped address. */
	if (BIT(row->proto) & (BIT(TCP4) | BIT(UDP4)) && word_is(name, "::"))
		name = word_of("0.0.0.0");
	field(addr, name);
	if (BIT(row->proto) & PORT_BITS || end->port != PORTS)
		json_number(&out.text, port, end->port);
	else if (colon < stop)
		field(port, (struct word){ colon + 1, stop - colon - 1 });
	else
		string(port, NULL);
}

static void peer(const struct row *row)
{
	static const char * const names[] = { "peer_pid", "peer_comm", "peer_fd" };
	static const struct peer nobody = {
		.comm = NOTHING, .fd = NOTHING, .path = NOTHING,
	};
	const struct peer *peer = (row->peer ? peer_of(row->peer) : NULL) ?: &nobody;

	number_if_any("peer", row->peer);
	holder(names, peer->pid, peer->comm, peer->fd);
	field("peer_path", peer->path);
}

static void cgroup(const struct row *row)
{
	number_if_any("cgroup", row->cgroup);
	string("cgroup_path", row->cgroup ? cgroup_path(row->cgroup) : NULL);
}

/* A list as an array, with an element for each part between two separators. */
static void array(struct word rest, char separator)
{
	const char *stop;
	struct word one;

	text_add_str(&out.text, "[");
	for (;;) {
		stop = memchr(rest.at, separator, rest.len);
		one.at = rest.at;
		one.len = stop ? (size_t)(stop - rest.at) : rest.len;
		json_string(&out.text, one);
		if (!stop)
			break;
		text_add_str(&out.text, ",");
		rest.at += one.len + 1;
		rest.len -= one.len + 1;
	}
	text_add_str(&out.text, "]");
}

static void args(const struct row *row)
{
	struct word all = row->pid ? arguments(row->pid) : (struct word){ };

	json_key(&out.text, "args");
	if (all.len)
		array(all, '\0');
	else
		null();
}

static void diag(const struct row *row)
{
	json_key(&out.text, "diag");
	if (!row->joined)
		null();
	else if (word_is(row->joined[DIAG], "-"))
		text_add_str(&out.text, "[]");
	else
		array(row->joined[DIAG], ',');
}

/* NAME=value,… as an object. */
static void options(const struct row *row)
{
	struct word list = row->joined ? row->joined[OPTIONS] : NOTHING, value;
	const char *p = list.at, *stop = p + list.len, *comma, *equals, *before = "{";

	json_key(&out.text, "options");
	if (word_is(list, "-")) {
		null();
		return;
	}
	for (; p < stop; p = comma + 1) {
		comma = memchr(p, ',', stop - p) ?: stop;
		equals = memchr(p, '=', comma - p) ?: comma;
		value = (struct word){ equals + (equals < comma), 0 };
		value.len = comma - value.at;
		text_add_str(&out.text, before);
		json_string(&out.text, (struct word){ p, equals - p });
		text_add_str(&out.text, ":");
		if (json_is_number(value))
			text_add(&out.text, value.at, value.len);
		else
			json_string(&out.text, row_unescape(value));
		before = ",";
	}
	text_add_str(&out.text, "}");
}

static void joined_number(const struct row *row, enum joined column, const char *name)
{
	number_field(name, row->joined ? row->joined[column] : NOTHING);
}

static void recv_q(const struct row *row)
{
	joined_number(row, RECV_Q, "recv_q");
}

static void send_q(const struct row *row)
{
	joined_number(row, SEND_Q, "send_q");
}

static void drops(const struct row *row)
{
	joined_number(row, DROPS, "drops");
}

static void congestion(const struct row *row)
{
	text_member("congestion", congestion_of(row));
}

/* What is only there where its column was asked for. */
static const struct {
	enum column column;
	void (*print)(const struct row *row);
} more_members[] = {
	{ C_CC, congestion }, { C_RECVQ, recv_q }, { C_SENDQ, send_q }, { C_DIAG, diag },
	{ C_DROPS, drops }, { C_OPTIONS, options }, { C_ARGUMENTS, args },
};

/**
 * print_json() - print a row as an object
 * @row: the row
 */
void print_json(const struct row *row)
{
	static const char * const names[] = { "pid", "comm", "fd" };
	const char *user = NULL;
	size_t i;

	if (!opt.numeric && has_owner(row))
		user = user_name(row->uid);
	json_row(&out.text);
	json_number(&out.text, "uid", row->uid);
	string("user", user);
	holder(names, row->pid, row->comm, row->fd);
	string("proto", row->proto == SEQPACKET ? "seqpacket" : proto_names[row->proto]);
	string("stat", *row->state->stat == '-' ? NULL : row->state->stat);
	if (is_unix(row)) {
		field("path", row->path);
		peer(row);
	} else {
		end(row, &row->local, "laddr", "lport");
		end(row, &row->foreign, "raddr", "rport");
	}
	string("held", row->held == HELD_NONE ? NULL : held_names[row->held].text);
	cgroup(row);
	number_if_any("netns", row->netns ?: netns_number_shown);
	json_number(&out.text, "inode", row->inode);
	for (i = 0; i < ARRAY_SIZE(more_members); i++)
		if (opt.shown & BIT(more_members[i].column))
			more_members[i].print(row);
	json_row_end(&out.text);
}
