// SPDX-License-Identifier: GPL-2.0
/*
 * Unix sockets, and who has the other end.
 *
 * All rows of unixowner are kept, since the other end's may come later.
 */
#include <stdlib.h>

#include "../lib/utf8.h"
#include "sockstat.h"

static struct row *rows;
static size_t row_count;

/* Rows by their inode numbers, the first one of each; never more than half full. */
static struct row **places;
static size_t place_mask;

static struct row **place_of(u64 inode)
{
	size_t i = (inode * 0x9e3779b97f4a7c15ULL) >> 32 & place_mask;

	while (places[i] && places[i]->inode != inode)
		i = (i + 1) & place_mask;
	return &places[i];
}

static void read_rows(void)
{
	struct row row = { }, **place;
	size_t room = 0, i;

	rows_whole();
	rows_header();
	while (rows_next(&row)) {
		if (row_count == room) {
			room = 2 * room + 1024;
			rows = more(rows, room, sizeof(*rows));
		}
		rows[row_count++] = row;
	}
	for (place_mask = 1023; place_mask < 2 * row_count; place_mask = 2 * place_mask + 1)
		;
	places = more(NULL, place_mask + 1, sizeof(*places));
	memset(places, 0, (place_mask + 1) * sizeof(*places));
	for (i = 0; i < row_count; i++) {
		place = place_of(rows[i].inode);
		if (!*place)
			*place = &rows[i];
	}
}

/**
 * peer_of() - the socket at the other end of a Unix socket
 * @row: its row
 *
 * Return: its first row; NULL if there is none, or none in this namespace.
 */
const struct row *peer_of(const struct row *row)
{
	return row->peer ? *place_of(row->peer) : NULL;
}

/**
 * peer_text() - who has the other end of a Unix socket
 * @row: its row
 * @text: where to add it: PID:FD; where no process is known the path, or else the inode
 *	number in brackets; or "-"
 */
void peer_text(const struct row *row, struct text *text)
{
	const struct row *peer = peer_of(row);

	if (!row->peer) {
		text_add_str(text, "-");
	} else if (peer && peer->pid) {
		text_add_number(text, peer->pid);
		text_add_str(text, ":");
		text_add(text, peer->fd.at, peer->fd.len);
	} else if (peer && !word_is(peer->local.whole, "-")) {
		text_add(text, peer->local.whole.at, peer->local.whole.len);
	} else {
		text_add_str(text, "[");
		text_add_number(text, row->peer);
		text_add_str(text, "]");
	}
}

/**
 * print_unix() - print those Unix sockets that are asked for
 * @print: prints a row
 */
void print_unix(void (*print)(const struct row *row))
{
	size_t i;

	read_rows();
	for (i = 0; i < row_count; i++)
		print(&rows[i]);
}
