// SPDX-License-Identifier: GPL-2.0
/*
 * What is looked up elsewhere than in sockowner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockstat.h"

#define READ_SIZE	(256 * 1024)
/* How much is shown of a process's arguments. */
#define ARGS_MAX	4096

/**
 * struct congestion - what -C found out about a socket
 * @inode: the socket
 * @name: its congestion control
 */
struct congestion {
	u64 inode;
	const char *name;
};

static struct congestion *congestions;	/* by inode */
static size_t congestion_count;

/**
 * arguments() - the arguments of a process
 * @pid: the process; the rows of a process follow each other
 *
 * Return: the arguments, with a NUL after each but the last; nothing if it has
 * none or is gone.
 */
struct word arguments(u64 pid)
{
	static char args[ARGS_MAX];
	static size_t len;
	static u64 last_pid;
	char path[sizeof(PROC) + 32];
	ssize_t n = 0;
	int fd;

	if (pid != last_pid) {
		last_pid = pid;
		len = 0;
		snprintf(path, sizeof(path), PROC "/%llu/cmdline", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			do {
				n = read(fd, args + len, sizeof(args) - len);
				len += n > 0 ? n : 0;
			} while (n > 0 && len < sizeof(args));
			close(fd);
		}
		while (len && !args[len - 1])
			len--;
	}
	return (struct word){ args, len };
}

static int by_inode(const void *a, const void *b)
{
	const struct congestion *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/**
 * congestion_of() - the congestion control of a socket
 * @row: its row
 *
 * Return: its name; NULL where it is not known, as of sockets that are in no
 * table of TCP sockets.
 */
const char *congestion_of(const struct row *row)
{
	struct congestion key = { .inode = row->inode }, *found = NULL;

	if (row->inode && congestion_count && BIT(row->proto) & TCP_BITS)
		found = bsearch(&key, congestions, congestion_count,
				sizeof(key), by_inode);
	return found ? found->name : NULL;
}

/* The value of @name in a list of NAME=value; nothing if it is not there. */
static struct word option_value(struct word list, const char *name)
{
	size_t len = strlen(name);
	struct word one;
	const char *comma;

	while (list.len) {
		comma = memchr(list.at, ',', list.len);
		one.at = list.at;
		one.len = comma ? (size_t)(comma - list.at) : list.len;
		list.at += one.len + !!comma;
		list.len -= one.len + !!comma;
		if (one.len > len && !memcmp(one.at, name, len) &&
		    one.at[len] == '=')
			return (struct word){ one.at + len + 1,
					      one.len - len - 1 };
	}
	return (struct word){ };
}

/**
 * congestion_read() - read the congestion controls of a table of TCP sockets
 * @table: the table, open; closed afterwards
 * @usual: what the rows that name none have
 */
void congestion_read(struct table *table, const char *usual)
{
	static const char * const names[] = { "Inode", "Options" };
	static size_t room;
	struct congestion *one;
	struct word word, value = { };
	const char *p;
	u64 inode = 0;
	size_t i;

	table->read_size = READ_SIZE;
	table_header(table, names, ARRAY_SIZE(names));
	while (table_next(table)) {
		p = table_row(table);
		for (i = 0; i < table->fields; i++) {
			p = skip_blanks(p);
			if (table->columns[i] == 0)
				p = take_number(p, &inode);
			else
				p = take_word(p, &word);
			if (table->columns[i] == 1)
				value = option_value(word, "TCP_CONGESTION");
			if (!field_ends(p))
				table_bad(table, "row");
		}
		if (!table_row_ends(table, p))
			table_bad(table, "row");
		if (!inode)
			continue;
		if (congestion_count == room) {
			room = 2 * room + 1024;
			congestions = more(congestions, room, sizeof(*one));
		}
		one = &congestions[congestion_count++];
		one->inode = inode;
		one->name = value.len ? copy_of(value.at, value.len) : usual;
	}
	close(table->fd);
}

/**
 * congestion_sort() - have what was read found
 */
void congestion_sort(void)
{
	if (congestion_count)
		qsort(congestions, congestion_count, sizeof(*congestions),
		      by_inode);
}
