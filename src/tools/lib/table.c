// SPDX-License-Identifier: GPL-2.0
/*
 * A table of the module's. See table.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "say.h"
#include "table.h"

/**
 * table_open() - open a table
 * @table: the table
 * @path: its file; the table's from here on
 *
 * Return: false if there is no such file. Any other error ends the program.
 */
bool table_open(struct table *table, char *path)
{
	table->path = path;
	table->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (table->fd < 0 && errno != ENOENT)
		die("cannot open %s: %s", SHOWN(path), strerror(errno));
	return table->fd >= 0;
}

/**
 * table_must_open() - open a table that is there whenever the module is
 * @table: the table
 * @path: its file; the table's from here on
 */
void table_must_open(struct table *table, char *path)
{
	if (!table_open(table, path))
		die("no %s: the module is not loaded (modprobe knetstat)",
		    SHOWN(path));
}

/**
 * table_fill() - read more, which may move the row at hand
 * @table: the table
 *
 * Return: how much, which is 0 at the end.
 */
size_t table_fill(struct table *table)
{
	struct text *in = &table->in;
	const char *end;
	bool gone;
	ssize_t n;

	if (table->all)
		return 0;
	table->before += table->next;
	in->len -= table->next;
	if (table->next && in->len)
		memmove(in->data, in->data + table->next, in->len);
	table->row = 0;
	table->next = 0;
	table->whole = 0;
	text_reserve(in, table->read_size + SLACK);
	do {
		gone = table->wait && table->wait(table->fd);
		n = read(table->fd, in->data + in->len, table->read_size);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	/* procfs takes a file away from who has it open when its module goes. */
	if ((n < 0 && (errno == EIO || errno == ENODEV)) || (!n && gone))
		die("%s has gone: the module knetstat was unloaded",
		    SHOWN(table->path));
	if (n < 0)
		die("cannot read %s: %s", SHOWN(table->path), strerror(errno));
	end = memrchr(in->data + in->len, '\n', n);
	in->len += n;
	if (end)
		table->whole = end + 1 - in->data;
	return n;
}

/**
 * table_forget() - forget what has been read
 * @table: the table
 */
void table_forget(struct table *table)
{
	table->in.len = 0;
	table->row = 0;
	table->next = 0;
	table->whole = 0;
}

/**
 * table_read_all() - read all of it again, from the beginning, and keep it
 * @table: the table; the row at hand stays that
 *
 * For whoever has to go back. What is open does not change while it is.
 */
void table_read_all(struct table *table)
{
	struct text *in = &table->in;
	ssize_t n;

	table->row += table->before;
	table->next += table->before;
	table->before = 0;
	in->len = 0;
	do {
		text_reserve(in, table->read_size + SLACK);
		n = pread(table->fd, in->data + in->len, table->read_size, in->len);
		if (n < 0 && errno != EINTR)
			die("cannot read %s: %s", SHOWN(table->path),
			    strerror(errno));
		in->len += n > 0 ? n : 0;
	} while (n);
	table->all = true;
	table->whole = in->len;
	if (table->next >= in->len || in->data[in->len - 1] != '\n')
		die("%s: another table than before", SHOWN(table->path));
}

/**
 * table_read_whole() - read all of it before the header, and keep it
 * @table: the table, just opened
 *
 * What rows point at stays. Nothing is read twice, so it may be a pipe.
 */
void table_read_whole(struct table *table)
{
	const char *end;

	while (table_fill(table))
		;
	end = memrchr(table->in.data, '\n', table->in.len);
	table->whole = end ? end + 1 - table->in.data : 0;
	table->all = true;
}

/**
 * table_close() - close a table that has been read to its end
 * @table: the table; what has been read of it is the caller's now
 */
void table_close(struct table *table)
{
	size_t i;

	for (i = 0; i < table->fields; i++)
		free((char *)table->names[i].at);
	free(table->names);
	free(table->columns);
	free(table->path);
	close(table->fd);
}

/* What table_next() does when there is no row that has been read. */
bool table_next_slow(struct table *table)
{
	while (!table_line(table)) {
		if (table_fill(table))
			continue;
		/* Half a line is worse than none. */
		if (table->in.len > table->next)
			table_bad(table, "row");
		return false;
	}
	return true;
}

/**
 * table_bad() - the row at hand is none: all rows before it, and the end
 * @table: the table
 * @what: what it should be
 */
void table_bad(const struct table *table, const char *what)
{
	const char *line = table_row(table);
	size_t len = table->in.len - table->row, i;
	char shown[64];

	for (i = 0; i < len && line[i] != '\n' && i < sizeof(shown) - 1; i++)
		shown[i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	shown[i] = '\0';
	output_drop_row();
	die("%s: malformed %s: %s%s", SHOWN(table->path), what, shown,
	    i < len && line[i] != '\n' ? "..." : "");
}

static void table_add_column(struct table *table, struct word name,
			     unsigned int column)
{
	table->columns = more(table->columns, table->fields + 1,
			      sizeof(*table->columns));
	table->names = more(table->names, table->fields + 1,
			    sizeof(*table->names));
	table->columns[table->fields] = column;
	table->names[table->fields++] = (struct word){
		copy_of(name.at, name.len), name.len
	};
}

/**
 * table_header() - read the header, and find the columns that are needed
 * @table: the table
 * @names: their names
 * @count: how many
 */
void table_header(struct table *table, const char * const names[],
		  unsigned int count)
{
	table_header_some(table, names, count, BIT(count) - 1);
}

/**
 * table_header_some() - read the header, and find columns
 * @table: the table
 * @names: their names
 * @count: how many
 * @needed: which of them must be there, by bit; an older module lacks some
 *
 * Return: which are there.
 */
unsigned int table_header_some(struct table *table, const char * const names[],
			       unsigned int count, unsigned int needed)
{
	unsigned int c, found = 0;	/* by bit */
	struct word word;
	const char *p;

	while (!table_line(table)) {
		if (!table_fill(table))
			die("%s: no header", SHOWN(table->path));
	}
	p = skip_blanks(table_row(table));
	while (*p != '\n') {
		p = take_word(p, &word);
		/* It becomes a key of JSON. */
		if (!field_ends(p) || memchr(word.at, '"', word.len) ||
		    memchr(word.at, '\\', word.len))
			table_bad(table, "header");
		for (c = 0; c < count && !word_is(word, names[c]); c++)
			;
		if (c < count)
			found |= BIT(c);
		table_add_column(table, word, c < count ? c : OTHER);
		p = skip_blanks(p);
	}
	if ((needed & ~found) || !table_row_ends(table, p))
		table_bad(table, "header");
	return found;
}

/**
 * table_fields() - split the row at hand, and end it
 * @table: the table
 * @fields: set to its fields, as many as the header has
 *
 * Return: whether it is a whole row.
 */
bool table_fields(struct table *table, struct word *fields)
{
	const char *p = table_row(table);
	size_t i;

	for (i = 0; i < table->fields; i++) {
		p = take_word(skip_blanks(p), &fields[i]);
		if (!field_ends(p))
			return false;
	}
	return table_row_ends(table, p);
}

/**
 * unescape() - the bytes that a field stands for
 * @field: the field, in which the kernel writes some as \ooo
 * @bytes: set to the bytes, which stay until the next call
 *
 * Return: whether all such escapes were whole.
 */
bool unescape(struct word field, struct word *bytes)
{
	static struct text text;
	unsigned int byte;
	size_t i = 0;
	int digit;

	*bytes = field;
	if (!memchr(field.at, '\\', field.len))
		return true;
	text.len = 0;
	text_reserve(&text, field.len);
	while (i < field.len) {
		byte = (unsigned char)field.at[i++];
		if (byte == '\\') {
			byte = 0;
			for (digit = 0; digit < 3; digit++, i++) {
				if (i == field.len || field.at[i] < '0' ||
				    field.at[i] > '7')
					return false;
				byte = byte << 3 | (field.at[i] - '0');
			}
			if (byte > 0xff)
				return false;
		}
		text.data[text.len++] = byte;
	}
	*bytes = (struct word){ text.data, text.len };
	return true;
}

/**
 * table_unescape() - unescape() a field of the row at hand
 * @table: the table
 * @field: the field; if it is malformed the program ends
 *
 * Return: the bytes, which stay until the next call.
 */
struct word table_unescape(const struct table *table, struct word field)
{
	struct word bytes;

	if (!unescape(field, &bytes))
		table_bad(table, "row");
	return bytes;
}
