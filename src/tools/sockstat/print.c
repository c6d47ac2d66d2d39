// SPDX-License-Identifier: GPL-2.0
/*
 * How a row is printed as a line.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>

#include "../lib/cgroup.h"
#include "../lib/output.h"
#include "../lib/user.h"
#include "../lib/utf8.h"
#include "sockstat.h"

/* Widths with -w are for IPv6 addresses, and for most that there is at all. */
static const struct {
	const char *title;
	unsigned int width;
	unsigned int wide;
} columns[COLUMNS] = {
	[C_NETNS]	= { "NETNS", 10, 16 },
	[C_USER]	= { "USER", 8, 16 },
	[C_COMMAND]	= { "COMMAND", 10, COMM_MAX },
	[C_PID]		= { "PID", 5, 7 },
	[C_FD]		= { "FD", 3, 5 },
	[C_PROTO]	= { "PROTO", 6, 6 },
	[C_LOCAL]	= { "LOCAL ADDRESS", 21, 45 },
	[C_FOREIGN]	= { "FOREIGN ADDRESS", 21, 45 },
	[C_INODE]	= { "INODE", 10, 10 },
	[C_STATE]	= { "STATE", 11, 11 },
	[C_HELD]	= { "HELD", 6, 6 },
	[C_RECV_Q]	= { "RECV-Q", 7, 10 },
	[C_SEND_Q]	= { "SEND-Q", 7, 10 },
	[C_DIAG]	= { "DIAG", 6, 12 },
	[C_DROPS]	= { "DROPS", 6, 10 },
	[C_CC]		= { "CC", 8, 15 },
	[C_CGROUP]	= { "CGROUP", 30, 60 },
	[C_OPTIONS]	= { "OPTIONS", 60, 120 },
	[C_ARGUMENTS]	= { "ARGUMENTS", 0, 0 },
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

static void put_number(u64 number)
{
	text_add_number(&out.text, number);
}

/* At most @max characters of what somebody else has written. */
static void put_text(struct word text, size_t max)
{
	size_t before = out.text.len;
	size_t chars = text_add_chars(&out.text, text, max);

	row_extra += out.text.len - before - chars;
}

/* A blank, and as many more as the row is short of @column. */
static inline void put_blanks(size_t column)
{
	static const char blanks[16] = "                ";
	size_t width = out.text.len - out.row - row_extra;
	size_t n = column > width ? column - width : 1, i;

	/* Sixteen at once are cheaper than to call memset(). */
	text_reserve(&out.text, n + sizeof(blanks));
	for (i = 0; i < n; i += sizeof(blanks))
		memcpy(out.text.data + out.text.len + i, blanks, sizeof(blanks));
	out.text.len += n;
}

static inline void put_end(const struct end *end, bool mapped)
{
	struct word rest = {
		end->whole.at + end->addr.len, end->whole.len - end->addr.len
	};

	if (word_is(end->addr, "0.0.0.0") || word_is(end->addr, "::")) {
		put("*", 1);
		put_field(rest);
	} else if (mapped && end->addr.len > 7 && !memcmp(end->addr.at, "::ffff:", 7)) {
		put_field((struct word){ end->whole.at + 7, end->whole.len - 7 });
	} else {
		put_field(end->whole);
	}
}

static void put_holder(enum column column, const struct row *row)
{
	const char *name;

	if (!row->pid) {
		put("??", 2);
	} else if (column == C_PID) {
		put_number(row->pid);
	} else if (column == C_FD) {
		put_field(row->fd);
	} else if (column == C_COMMAND) {
		put_text(row_unescape(row->comm),
			 opt.wide ? SIZE_MAX : columns[C_COMMAND].width);
	} else {
		name = opt.numeric ? NULL : user_name(row->uid);
		if (name)
			put_text(word_of(name), SIZE_MAX);
		else
			put_number(row->uid);
	}
}

static void put_netns(const struct row *row)
{
	struct word number = row->netns.len ? row->netns : own_netns;
	const char *name = opt.netns ?: netns_name(number);

	if (name && !opt.numeric)
		put_text(word_of(name), SIZE_MAX);
	else if (number.len)
		put(number.at, number.len);
	else
		put("?", 1);
}

static void put_cgroup(const struct row *row)
{
	const char *path = row->cgroup ? cgroup_path(row->cgroup) : NULL;

	/* A blank in it would be another column. */
	if (!path)
		put("-", 1);
	for (; path && *path; path++) {
		if (*path == ' ')
			put("\\040", 4);
		else
			put(path, 1);
	}
}

/* What a table says, or "-". */
static void put_joined(struct word word)
{
	if (word.len)
		put(word.at, word.len);
	else
		put("-", 1);
}

static void put_arguments(const struct row *row)
{
	struct word args = row->pid ? arguments(row->pid) : (struct word){ };
	struct word one;

	if (!args.len)
		put_str(row->pid ? "-" : "??");
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

static void put_cell(enum column column, const struct row *row,
		     const struct joined *joined)
{
	switch (column) {
	case C_NETNS:
		put_netns(row);
		break;
	case C_PROTO:
		put_str(proto_names[proto_of(row)]);
		break;
	case C_LOCAL:
		put_end(&row->local, row->mapped);
		break;
	case C_FOREIGN:
		if (is_unix(row))
			peer_text(row, &out.text);
		else
			put_end(&row->foreign, row->mapped);
		break;
	case C_HELD:
		put_str(held_names[row->held]);
		break;
	case C_RECV_Q:
		put_joined(joined->recv_q);
		break;
	case C_SEND_Q:
		put_joined(joined->send_q);
		break;
	case C_DIAG:
		put_joined(joined->diag);
		break;
	case C_DROPS:
		put_joined(joined->drops);
		break;
	case C_OPTIONS:
		put_joined(joined->options);
		break;
	case C_CGROUP:
		put_cgroup(row);
		break;
	case C_INODE:
		put_number(row->inode);
		break;
	case C_STATE:
		put_str(row->state->name);
		break;
	case C_CC:
		put_joined(congestion_of(row, joined));
		break;
	case C_ARGUMENTS:
		put_arguments(row);
		break;
	default:
		put_holder(column, row);
	}
}

/* What is shown, and where it begins in the line. */
static struct {
	enum column column;
	size_t place;
} layout[COLUMNS];
static size_t layout_count;
/* The first of them that differs from one descriptor of a process to the next. */
static size_t layout_fd;

static void make_layout(void)
{
	size_t c, place = 0;

	for (c = 0; c < COLUMNS; c++) {
		if (!(opt.shown & BIT(c)))
			continue;
		if (c == C_FD)
			layout_fd = layout_count;
		layout[layout_count].column = c;
		layout[layout_count++].place = place;
		place += 1 + (opt.wide ? columns[c].wide : columns[c].width);
	}
}

static void print_header(void)
{
	size_t i;

	for (i = 0; i < layout_count; i++) {
		if (i)
			put_blanks(layout[i].place);
		put_str(columns[layout[i].column].title);
	}
	put("\n", 1);
}

/*
 * What is too long for its column pushes the next ones, as far as they have no
 * blanks to spare.
 */
static void put_cells(size_t from, size_t to, const struct row *row,
		      const struct joined *joined)
{
	size_t i;

	for (i = from; i < to; i++) {
		if (i)
			put_blanks(layout[i].place);
		put_cell(layout[i].column, row, joined);
	}
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
		struct text begin;
		size_t extra;
	} last;
	struct joined joined;

	if (opt.shown & JOINED_BITS)
		join(row, &joined);
	if (row->process == last.process) {
		put(last.begin.data, last.begin.len);
		row_extra = last.extra;
	} else {
		row_extra = 0;
		put_cells(0, layout_fd, row, &joined);
		last.begin.len = 0;
		text_add(&last.begin, out.text.data + out.row,
			 out.text.len - out.row);
		last.extra = row_extra;
		last.process = row->process;
	}
	put_cells(layout_fd, layout_count, row, &joined);
	put("\n", 1);
}

/**
 * print_begin() - decide where the columns are, and print the header
 */
void print_begin(void)
{
	make_layout();
	if (!opt.no_header)
		print_header();
}
