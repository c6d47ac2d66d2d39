/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of the module's: a file whose first line names its columns.
 */
#ifndef KNETSTAT_TOOLS_TABLE_H
#define KNETSTAT_TOOLS_TABLE_H

#include "field.h"
#include "text.h"

/* Below which the tests keep a /proc and a /run of their own. */
#ifndef KNETSTAT_ROOT
#define KNETSTAT_ROOT ""
#endif

#define PROC		KNETSTAT_ROOT "/proc"

/**
 * struct table - a table, open
 * @path: its file
 * @fd: the same
 * @read_size: how much is read at once
 * @wait: called before each read, to wait for data; NULL: no need to wait; if
 *	it returns true and the read gives nothing, the file has gone
 * @in: what has been read of it
 * @before: how much before that has been forgotten
 * @all: @in has all of it
 * @row: where in there the row at hand begins
 * @next: where the next one does
 * @whole: where the last whole line ends
 * @names: the header's words
 * @columns: which column a row's fields are, as an index of names that the
 *	program has given, or OTHER
 * @fields: how many fields a row has
 */
struct table {
	char *path;
	int fd;
	size_t read_size;
	bool (*wait)(int fd);
	struct text in;
	size_t before;
	bool all;
	size_t row;
	size_t next;
	size_t whole;
	struct word *names;
	unsigned int *columns;
	size_t fields;
};

#define OTHER	(~0U)

/* The path as it is shown. */
static inline const char *SHOWN(const char *path)
{
	size_t len = sizeof(KNETSTAT_ROOT) - 1;

	return strncmp(path, KNETSTAT_ROOT, len) ? path : path + len;
}

bool table_open(struct table *table, char *path);
void table_must_open(struct table *table, char *path);
void table_header(struct table *table, const char * const names[],
		  unsigned int count);
unsigned int table_header_some(struct table *table, const char * const names[],
			       unsigned int count, unsigned int needed);
void table_read_whole(struct table *table);
void table_close(struct table *table);
size_t table_fill(struct table *table);
void table_forget(struct table *table);
void table_read_all(struct table *table);
bool table_fields(struct table *table, struct word *fields);
bool table_next_slow(struct table *table);
noreturn void table_bad(const struct table *table, const char *what);
struct word table_unescape(const struct table *table, struct word field);

/* The row at hand. */
static inline const char *table_row(const struct table *table)
{
	return table->in.data + table->row;
}

/* Goes to the next row, if all of it has been read. */
static inline bool table_line(struct table *table)
{
	table->row = table->next;
	return table->row != table->whole;
}

/**
 * table_next() - go to the next row
 * @table: the table
 *
 * Return: false at the end of the table.
 */
static inline bool table_next(struct table *table)
{
	return table_line(table) || table_next_slow(table);
}

/* Ends the row behind its last field; whether that is where it ends. */
static inline bool table_row_ends(struct table *table, const char *p)
{
	p = skip_blanks(p);
	table->next = p + 1 - table->in.data;
	return *p == '\n';
}

#endif /* KNETSTAT_TOOLS_TABLE_H */
