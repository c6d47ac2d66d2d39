// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of the module's files, one after the other, and none kept.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/host.h"
#include "../lib/say.h"
#include "metrics.h"

#define READ_SIZE	(256 * 1024)

/* It is there whenever the module is. */
#define FIRST_FILE	"tcpstat"

/**
 * rows_open() - open one of the module's files
 * @rows: set to it
 * @file: its name
 * @names: the names of columns
 * @count: how many
 * @needed: which of them must be there, by bit
 * @always: any module has the file, unless the kernel lacks what it is about
 *
 * Return: which columns are there, by bit; 0 if there is no such file. If there is no
 * module the program ends; if that is too old it says so.
 */
unsigned int rows_open(struct rows *rows, const char *file, const char * const names[],
		       unsigned int count, unsigned int needed, bool always)
{
	char *path = host_net(file), *first;
	unsigned int found;

	*rows = (struct rows){ .table.read_size = READ_SIZE, .count = count };
	if (!table_open(&rows->table, path)) {
		first = host_net(FIRST_FILE);
		if (access(first, F_OK))
			die("no %s: the module is not loaded (modprobe knetstat)",
			    SHOWN(path));
		if (!always)
			say("no %s: the module is older than this program", SHOWN(path));
		free(first);
		free(path);
		return 0;
	}
	found = table_header_some(&rows->table, names, count, needed);
	rows->words = more(NULL, count + rows->table.fields, sizeof(*rows->words));
	return found;
}

/**
 * rows_place() - where a column is
 * @rows: the file
 * @column: the index of its name
 *
 * Return: how many there are before it.
 */
size_t rows_place(const struct rows *rows, unsigned int column)
{
	size_t i = 0;

	while (rows->table.columns[i] != column)
		i++;
	return i;
}

/**
 * rows_take() - take fields of the row at hand
 * @rows: the file
 * @p: where in the row the first one begins, or blanks before that do
 * @from: the number of its column
 * @to: the number of the first column that is not taken
 *
 * Return: where the last one ends.
 */
const char *rows_take(struct rows *rows, const char *p, size_t from, size_t to)
{
	struct table *table = &rows->table;
	unsigned int column;

	for (; from < to; from++) {
		column = table->columns[from] == OTHER ? rows->count + from :
			 table->columns[from];
		p = take_word(skip_blanks(p), &rows->words[column]);
		if (!field_ends(p))
			table_bad(table, "row");
	}
	return p;
}

/**
 * rows_end() - end the row at hand, of which all fields have been taken
 * @rows: the file
 * @p: where the last one ends
 */
void rows_end(struct rows *rows, const char *p)
{
	if (!table_row_ends(&rows->table, p))
		table_bad(&rows->table, "row");
}

/**
 * rows_skip() - end the row at hand, whatever is in there
 * @rows: the file
 */
void rows_skip(struct rows *rows)
{
	struct table *table = &rows->table;
	const char *row = table_row(table);
	const char *end = memchr(row, '\n', table->in.data + table->whole - row);

	table->next = end + 1 - table->in.data;
}

/**
 * rows_next() - go to the next row, and take all of its fields
 * @rows: the file
 *
 * Return: false at its end.
 */
bool rows_next(struct rows *rows)
{
	if (!table_next(&rows->table))
		return false;
	rows_end(rows, rows_take(rows, table_row(&rows->table), 0, rows->table.fields));
	return true;
}

/**
 * rows_number() - a number
 * @rows: the file
 * @field: the field of the row at hand that it is
 *
 * Return: the number; of what is none the program ends.
 */
u64 rows_number(const struct rows *rows, struct word field)
{
	u64 number;

	if (!field_ends(take_number(field.at, &number)))
		table_bad(&rows->table, "row");
	return number;
}

/**
 * rows_close() - close one of the module's files
 * @rows: the file
 */
void rows_close(struct rows *rows)
{
	table_close(&rows->table);
	free(rows->table.in.data);
	free(rows->words);
}

/**
 * one_more() - room for one more of what may become many
 * @data: what there is, or NULL; it has only grown by this
 * @count: how many there are
 * @size: of what size each
 *
 * Return: where they are now.
 */
void *one_more(void *data, size_t count, size_t size)
{
	/* There is room for as many as the next power of two. */
	return count & (count - 1) ? data : more(data, count ? 2 * count : 1, size);
}
