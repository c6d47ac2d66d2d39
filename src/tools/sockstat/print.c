// SPDX-License-Identifier: GPL-2.0
/*
 * How a row is printed as a line.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>

#include "../lib/json.h"
#include "../lib/netns.h"
#include "../lib/output.h"
#include "../lib/user.h"
#include "../lib/utf8.h"
#include "sockstat.h"

/* As FreeBSD prints them. */
const char proto_names[PROTOS][8] = {
	[TCP4] = "tcp4", [TCP6] = "tcp6", [TCP46] = "tcp46",
	[UDP4] = "udp4", [UDP6] = "udp6", [UDP46] = "udp46",
	[RAW4] = "raw4", [RAW6] = "raw6",
	[ICMP4] = "icmp4", [ICMP6] = "icmp6", [PACKET] = "packet",
	[STREAM] = "stream", [DGRAM] = "dgram", [SEQPACKET] = "seqpack",
};

static size_t row_extra;	/* the line's bytes that are no characters */

static inline void put(const char *data, size_t len)
{
	text_add(&out.text, data, len);
}

static inline void put_field(struct word field)
{
	text_add_word(&out.text, field);
}

static void put_str(const char *str)
{
	text_add_str(&out.text, str);
}

static void put_unknown(void)
{
	put(UNKNOWN, sizeof(UNKNOWN) - 1);
}

static void put_number(u64 number)
{
	text_add_number(&out.text, number);
}

static void put_number_if_any(u64 number)
{
	if (number)
		put_number(number);
	else
		put_unknown();
}

/* At most @max characters of what somebody else has written. */
static void put_text(struct word text, size_t max)
{
	size_t before = out.text.len;
	size_t chars = text_add_chars(&out.text, text, max);

	row_extra += out.text.len - before - chars;
}

static void put_netns(const struct row *row)
{
	u64 number = row->netns ?: netns_number_shown;
	const char *name = opt.numeric ? NULL : netns_name(number);

	if (name)
		put_text(word_of(name), SIZE_MAX);
	else
		put_number_if_any(number);
}

static void put_user(const struct row *row)
{
	const char *name;

	if (!row->pid) {
		put_unknown();
		return;
	}
	name = opt.numeric ? NULL : user_name(row->uid);
	if (name)
		put_text(word_of(name), SIZE_MAX);
	else
		put_number(row->uid);
}

static void put_command(const struct row *row)
{
	if (row->pid)
		put_text(row_unescape(row->comm), opt.wide ? SIZE_MAX : 10);
	else
		put_unknown();
}

static void put_pid(const struct row *row)
{
	put_number_if_any(row->pid);
}

static void put_fd(const struct row *row)
{
	if (row->pid)
		put_field(row->fd);
	else
		put_unknown();
}

static void put_proto(const struct row *row)
{
	const char *name = proto_names[row->proto];

	text_reserve(&out.text, sizeof(proto_names[0]));
	memcpy(out.text.data + out.text.len, name, sizeof(proto_names[0]));
	out.text.len += strlen(name);
}

static inline bool begins(const char *p, const char *str, size_t len)
{
	return !memcmp(p, str, len) && (p[len] == ':' || p[len] == '%');
}

static inline void put_end(const struct end *end)
{
	struct word rest = end->whole;
	size_t skip = end->mapped;

	/* Any address: a '*', and what is behind. */
	if (begins(rest.at, "0.0.0.0", 7))
		skip = 7;
	else if (begins(rest.at, "::", 2))
		skip = 2;
	if (skip && !end->mapped)
		put("*", 1);
	rest.at += skip;
	rest.len -= skip;
	put_field(rest);
}

static void put_local(const struct row *row)
{
	if (!is_unix(row))
		put_end(&row->local);
	else if (word_is(row->path, "-"))
		put_unknown();
	else
		put_field(row->path);
}

/*
 * Who is at the other end of a Unix socket, as far as it is known: ->COMMAND[PID,FD]. The
 * name is as the file has it, so that it has no blanks.
 */
static void put_peer(const struct row *row)
{
	const struct peer *peer = peer_of(row->peer);

	put("->", 2);
	if (peer && peer->pid) {
		put_field(peer->comm);
		put("[", 1);
		put_number(peer->pid);
		put(",", 1);
		put_field(peer->fd);
		put("]", 1);
	} else if (peer && !word_is(peer->path, "-")) {
		put_field(peer->path);
	} else {
		put_unknown();
	}
}

static void put_foreign(const struct row *row)
{
	if (!is_unix(row))
		put_end(&row->foreign);
	else if (row->peer)
		put_peer(row);
	else
		put_unknown();
}

static void put_inode(const struct row *row)
{
	put_number(row->inode);
}

static void put_state(const struct row *row)
{
	put_str(row->state->name);
}

/**
 * congestion_of() - the congestion control of a socket
 * @row: its row
 *
 * Return: its name; nothing where it is not known, or has none.
 */
struct word congestion_of(const struct row *row)
{
	struct word value = { };

	if (!row->joined || !(BIT(row->proto) & TCP_BITS) ||
	    word_is(row->joined[OPTIONS], "-"))
		return value;
	value = option_value(row->joined[OPTIONS], word_of("TCP_CONGESTION"));
	return value.len || !row->usual_cc ? value : word_of(row->usual_cc);
}

static void put_cc(const struct row *row)
{
	struct word name = congestion_of(row);

	if (name.len)
		put(name.at, name.len);
	else
		put_unknown();
}

static void put_held(const struct row *row)
{
	put_str(held_names[row->held].text);
}

static inline void put_joined(const struct row *row, enum joined column)
{
	if (row->joined)
		put_field(row->joined[column]);
	else
		put_unknown();
}

static void put_recvq(const struct row *row)
{
	put_joined(row, RECV_Q);
}

static void put_sendq(const struct row *row)
{
	put_joined(row, SEND_Q);
}

static void put_diag(const struct row *row)
{
	put_joined(row, DIAG);
}

static void put_drops(const struct row *row)
{
	put_joined(row, DROPS);
}

static void put_options(const struct row *row)
{
	put_joined(row, OPTIONS);
}

static void put_cgroup(const struct row *row)
{
	if (row->cgroup)
		put_field(cgroup_field(row->cgroup));
	else
		put_unknown();
}

static void put_arguments(const struct row *row)
{
	struct word args = row->pid ? arguments(row->pid) : (struct word){ };
	struct word one;

	if (!args.len)
		put_unknown();
	while (args.len) {
		one.at = args.at;
		one.len = strnlen(args.at, args.len);
		put_text(one, SIZE_MAX);
		args.at += one.len;
		args.len -= one.len;
		if (args.len) {
			put(" ", 1);
			args.at++;
			args.len--;
		}
	}
}

/*
 * What may be printed. Numbers that are compared are flush right. What has a name can be
 * asked for by -o.
 */
static const struct {
	const char *title;
	unsigned int width;
	bool right;
	void (*put)(const struct row *row);
	const char *name;
} columns[COLUMNS] = {
	[C_NETNS]	= { "NETNS",		10, false, put_netns, "netns" },
	[C_USER]	= { "USER",		 8, false, put_user },
	[C_COMMAND]	= { "COMMAND",		10, false, put_command },
	[C_PID]		= { "PID",		 7, true,  put_pid },
	[C_FD]		= { "FD",		 4, true,  put_fd },
	[C_PROTO]	= { "PROTO",		 6, false, put_proto },
	[C_LOCAL]	= { "LOCAL ADDRESS",	21, false, put_local },
	[C_FOREIGN]	= { "FOREIGN ADDRESS",	21, false, put_foreign },
	[C_INODE]	= { "INODE",		10, true,  put_inode, "inode" },
	[C_STATE]	= { "CONN STATE",	11, false, put_state, "state" },
	[C_CC]		= { "CC",		 8, false, put_cc, "cc" },
	[C_HELD]	= { "HELD",		 6, false, put_held, "held" },
	[C_RECVQ]	= { "RECV-Q",		 6, true,  put_recvq, "recv-q" },
	[C_SENDQ]	= { "SEND-Q",		 6, true,  put_sendq, "send-q" },
	[C_DIAG]	= { "DIAG",		 6, false, put_diag, "diag" },
	[C_DROPS]	= { "DROPS",		 5, true,  put_drops, "drops" },
	[C_CGROUP]	= { "CGROUP",		30, false, put_cgroup, "cgroup" },
	[C_OPTIONS]	= { "OPTIONS",		58, false, put_options, "options" },
	[C_ARGUMENTS]	= { "ARGUMENTS",	 0, false, put_arguments, "args" },
};

static size_t widths[COLUMNS];

/**
 * columns_named() - the columns that a word of -o asks for
 * @name: the word
 *
 * Return: the columns, by bit; 0: there is none of that name.
 */
unsigned int columns_named(struct word name)
{
	unsigned int named = 0;
	size_t c;

	if (word_is(name, "queues"))
		return BIT(C_RECVQ) | BIT(C_SENDQ);
	for (c = 0; c < COLUMNS; c++)
		if (columns[c].name &&
		    (word_is(name, "all") || word_is(name, columns[c].name)))
			named |= BIT(c);
	return named;
}

/* What is shown, and where it begins in the line: both by column. */
static enum column layout[COLUMNS];
static size_t places[COLUMNS];
static size_t layout_count;
/* The first of them that differs from one descriptor of a process to the next. */
static size_t layout_fd;

/* What is shown from there on if nothing is asked for. */
static const enum column usual_layout[] = { C_FD, C_PROTO, C_LOCAL, C_FOREIGN };
static bool is_usual;

/* How far the line is. */
static inline size_t line_width(void)
{
	return out.text.len - out.row - row_extra;
}

/* A blank, and as many more as the row is short of @column. */
static inline void put_blanks(size_t column)
{
	size_t width = line_width();
	size_t n = column > width ? column - width : 1;

	/* So many at once are cheaper than to count them. */
	text_reserve(&out.text, n + SLACK);
	memset(out.text.data + out.text.len, ' ', SLACK);
	if (n > SLACK)
		memset(out.text.data + out.text.len, ' ', n);
	out.text.len += n;
}

/* Moves the cell that begins at @begin to the right, up to where its column ends. */
static inline void flush_right(size_t begin, size_t column_end)
{
	size_t len = out.text.len - begin, width = line_width(), n;
	char *cell, moved[16];

	if (width >= column_end || len > sizeof(moved))
		return;
	n = column_end - width;
	text_reserve(&out.text, n + sizeof(moved));
	cell = out.text.data + begin;
	memcpy(moved, cell, sizeof(moved));
	/* A fixed size is cheaper, and as a rule it is enough. */
	memset(cell, ' ', sizeof(moved));
	if (n > sizeof(moved))
		memset(cell, ' ', n);
	memcpy(cell + n, moved, sizeof(moved));
	out.text.len += n;
}

/*
 * What is too long for its column pushes the next ones, as far as they have no
 * blanks to spare.
 */
static __always_inline void put_cells(const enum column *cells, size_t count,
				      const struct row *row)
{
	enum column c;
	size_t i, begin;

#pragma GCC unroll 16
	for (i = 0; i < count; i++) {
		c = cells[i];
		if (places[c])
			put_blanks(places[c]);
		begin = out.text.len;
		columns[c].put(row);
		if (columns[c].right)
			flush_right(begin, places[c] + widths[c]);
	}
}

static void put_titles(void)
{
	size_t i, begin;
	enum column c;

	for (i = 0; i < layout_count; i++) {
		c = layout[i];
		if (i)
			put_blanks(places[c]);
		begin = out.text.len;
		put_str(columns[c].title);
		if (columns[c].right)
			flush_right(begin, places[c] + widths[c]);
	}
	put("\n", 1);
}

static void make_layout(void)
{
	size_t c, place = 0;

	for (c = 0; c < COLUMNS; c++) {
		if (!(opt.shown & BIT(c)))
			continue;
		if (c == C_FD)
			layout_fd = layout_count;
		layout[layout_count++] = c;
		places[c] = place;
		place += 1 + widths[c];
	}
	is_usual = layout_count - layout_fd == ARRAY_SIZE(usual_layout) &&
		   !memcmp(layout + layout_fd, usual_layout, sizeof(usual_layout));
}

/* -w: each column is as wide as what is in there. */
static void measure(void)
{
	struct row row = { };
	size_t c, width;

	for (c = 0; c < COLUMNS; c++)
		widths[c] = strlen(columns[c].title);
	rows_rewind(true);
	while (next_wanted(&row)) {
		for (c = 0; c < COLUMNS; c++) {
			if (!(opt.shown & BIT(c)))
				continue;
			out.text.len = 0;
			row_extra = 0;
			columns[c].put(&row);
			width = out.text.len - row_extra;
			if (width > widths[c])
				widths[c] = width;
		}
	}
	rows_rewind(false);
	out.text.len = 0;
	row_extra = 0;
}

/**
 * print_row() - print a row as a line
 * @row: the row
 *
 * The rows of a process follow each other, and their lines begin alike: that is
 * made once, and remembered.
 */
void print_row(const struct row *row)
{
	static struct {
		unsigned long process;
		u64 netns;
		struct text begin;
		size_t extra;
	} last;

	if (row->process == last.process && row->netns == last.netns) {
		put(last.begin.data, last.begin.len);
		row_extra = last.extra;
	} else {
		row_extra = 0;
		put_cells(layout, layout_fd, row);
		last.begin.len = 0;
		text_add(&last.begin, out.text.data + out.row,
			 out.text.len - out.row);
		last.extra = row_extra;
		last.process = row->process;
		last.netns = row->netns;
	}
	if (is_usual)
		put_cells(usual_layout, ARRAY_SIZE(usual_layout), row);
	else
		put_cells(layout + layout_fd, layout_count - layout_fd, row);
	put("\n", 1);
}

/**
 * print_begin() - decide where the columns are, and print what is before the rows
 */
void print_begin(void)
{
	size_t c;

	if (opt.json) {
		json_begin(&out.text, opt.array);
		return;
	}
	for (c = 0; c < COLUMNS; c++)
		widths[c] = columns[c].width;
	if (opt.wide)
		measure();
	make_layout();
	if (!opt.no_header)
		put_titles();
}
