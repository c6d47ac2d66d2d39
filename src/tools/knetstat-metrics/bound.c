// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that wait for others, by address and port: listeners, of tcpstat and tcp6stat,
 * and unconnected UDP sockets, of udpstat and udp6stat.
 *
 * Several may share an address and port (SO_REUSEPORT, SO_BINDTODEVICE):
 * they are added up. Those with the lowest ports have series of their own: services rather
 * than clients, and always the same.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

enum { RECV_Q, SEND_Q, LOCAL, STAT, DIAG, DROPS, COLUMNS };

static const char * const columns[COLUMNS] = {
	[RECV_Q] = "Recv-Q", [SEND_Q] = "Send-Q", [LOCAL] = "Local-Address",
	[STAT] = "Stat", [DIAG] = "Diag", [DROPS] = "Drops",
};

/* Longer than "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255". */
#define ADDRESS_SIZE	48

/* So many are kept before they are merged: often enough, as at least half of them go. */
#define ENDS_MAX	(2 * opt.limit + 1024)

/**
 * struct end - an address and port, and what waits there
 * @port: the port
 * @address: the address
 * @sockets: how many there are
 * @full: how many of them have no more room
 * @queue: what waits
 * @limit: how much may wait
 * @drops: what was dropped
 */
struct end {
	unsigned int port;
	char address[ADDRESS_SIZE];
	u64 sockets, full, queue, limit, drops;
};

/**
 * struct quantity - what there is to say of each address and port
 * @family: the metrics
 * @offset: where in struct end their values are
 */
struct quantity {
	struct family family;
	size_t offset;
};

/**
 * struct ends - all of a kind
 * @stat: the state that they are in
 * @full: the mark of those that are full
 * @ends: them, with room for ENDS_MAX
 * @count: how many
 * @rest: the sum of those that have no series
 */
struct ends {
	const char *stat;
	const char *full;
	struct end *ends;
	size_t count;
	struct end rest;
};

static int compare(const void *a, const void *b)
{
	const struct end *one = a, *other = b;

	if (one->port != other->port)
		return one->port < other->port ? -1 : 1;
	return strcmp(one->address, other->address);
}

static void add_up(struct end *to, const struct end *end)
{
	to->sockets += end->sockets;
	to->full += end->full;
	to->queue += end->queue;
	to->limit += end->limit;
	to->drops += end->drops;
}

/*
 * Sorts them, makes one of those that are the same, and keeps the first ones. Who is not
 * among the first of some isn't among the first of all.
 */
static void merge(struct ends *ends)
{
	size_t i, kept = 0;

	if (!ends->count)
		return;
	qsort(ends->ends, ends->count, sizeof(*ends->ends), compare);
	for (i = 0; i < ends->count; i++) {
		struct end *end = &ends->ends[i];

		if (kept && !compare(&ends->ends[kept - 1], end))
			add_up(&ends->ends[kept - 1], end);
		else if (kept < opt.limit)
			ends->ends[kept++] = *end;
		else
			add_up(&ends->rest, end);
	}
	ends->count = kept;
}

static void take_address(const struct rows *rows, struct end *end)
{
	struct word word = rows->words[LOCAL];
	const char *colon = memrchr(word.at, ':', word.len);
	size_t len = colon ? (size_t)(colon - word.at) : 0;
	u64 port = 0;

	if (!len || len >= sizeof(end->address))
		table_bad(&rows->table, "row");
	if (colon[1] != '*')
		port = rows_number(rows, (struct word){ colon + 1, word.len - len - 1 });
	if (port >= PORTS)
		table_bad(&rows->table, "row");
	memcpy(end->address, word.at, len);
	end->port = port;
}

static void add_row(struct ends *ends, const struct rows *rows)
{
	const struct word *words = rows->words;
	struct end end = {
		.sockets = 1,
		.full = has_mark(words[DIAG], ends->full),
		.queue = rows_number(rows, words[RECV_Q]),
		.limit = rows_number(rows, words[SEND_Q]),
		.drops = rows_number(rows, words[DROPS]),
	};

	take_address(rows, &end);
	if (opt.ports && !opt.ports[end.port]) {
		add_up(&ends->rest, &end);
		return;
	}
	if (!ends->ends)
		ends->ends = more(NULL, ENDS_MAX, sizeof(end));
	if (ends->count == ENDS_MAX)
		merge(ends);
	ends->ends[ends->count++] = end;
}

/* Of most rows nothing is looked at behind Stat, where their options are. */
static void read_table(struct ends *ends, const char *file)
{
	struct rows rows;
	const char *p;
	size_t stat;

	if (!rows_open(&rows, file, columns, COLUMNS, BIT(COLUMNS) - 1, true))
		return;
	stat = rows_place(&rows, STAT) + 1;
	while (table_next(&rows.table)) {
		p = rows_take(&rows, table_row(&rows.table), 0, stat);
		if (word_is(rows.words[STAT], ends->stat)) {
			rows_end(&rows, rows_take(&rows, p, stat, rows.table.fields));
			add_row(ends, &rows);
		} else {
			rows_skip(&rows);
		}
	}
	rows_close(&rows);
}

/* What goes away with a socket is no counter of several that come and go. */
static void print_quantity(const struct ends *ends, const struct quantity *quantity)
{
	const size_t offset = quantity->offset;
	static struct text labels;
	const struct end *end;
	char port[8];
	size_t i;

	family_begin(&quantity->family);
	for (i = 0; i <= ends->count; i++) {
		end = i < ends->count ? &ends->ends[i] : &ends->rest;
		if (end == &ends->rest &&
		    (!end->sockets || offset == offsetof(struct end, drops)))
			return;
		labels.len = 0;
		snprintf(port, sizeof(port), "%u", end->port);
		label_str(&labels, "address", end == &ends->rest ? REST : end->address);
		label_str(&labels, "port", end == &ends->rest ? REST : port);
		sample("", &labels, *(const u64 *)((const char *)end + offset));
	}
}

static void print_ends(struct ends *ends, const char * const files[2],
		       const struct quantity *quantities, size_t count)
{
	size_t i;

	for (i = 0; i < 2; i++)
		read_table(ends, files[i]);
	merge(ends);
	for (i = 0; i < count; i++)
		print_quantity(ends, &quantities[i]);
}

/**
 * print_listeners() - write what waits for TCP listeners to accept it
 */
void print_listeners(void)
{
	static const char * const files[] = { "tcpstat", "tcp6stat" };
	static const struct quantity quantities[] = {
		{ { "knetstat_listener_sockets", "gauge", NULL,
		    "Listening TCP sockets at this address and port." },
		  offsetof(struct end, sockets) },
		{ { "knetstat_listener_full_sockets", "gauge", NULL,
		    "Listening TCP sockets at this address and port whose accept queue is full." },
		  offsetof(struct end, full) },
		{ { "knetstat_listener_accept_queue", "gauge", NULL,
		    "Connections that wait to be accepted." },
		  offsetof(struct end, queue) },
		{ { "knetstat_listener_accept_queue_limit", "gauge", NULL,
		    "Connections that may wait to be accepted." },
		  offsetof(struct end, limit) },
		{ { "knetstat_listener_drops", "counter", NULL,
		    "Packets for listening TCP sockets that were dropped." },
		  offsetof(struct end, drops) },
	};
	static struct ends ends = { .stat = "LSTN", .full = "!A" };

	print_ends(&ends, files, quantities, ARRAY_SIZE(quantities));
}

/**
 * print_udp() - write what waits in unconnected UDP sockets
 */
void print_udp(void)
{
	static const char * const files[] = { "udpstat", "udp6stat" };
	static const struct quantity quantities[] = {
		{ { "knetstat_udp_sockets", "gauge", NULL,
		    "UDP sockets at this address and port that are not connected." },
		  offsetof(struct end, sockets) },
		{ { "knetstat_udp_full_sockets", "gauge", NULL,
		    "UDP sockets at this address and port whose receive buffer is full." },
		  offsetof(struct end, full) },
		{ { "knetstat_udp_receive_queue_bytes", "gauge", "bytes",
		    "Bytes that UDP sockets have received and nobody has read." },
		  offsetof(struct end, queue) },
		{ { "knetstat_udp_drops", "counter", NULL,
		    "Datagrams for UDP sockets that were dropped." },
		  offsetof(struct end, drops) },
	};
	static struct ends ends = { .stat = "UNCN", .full = "!B" };

	print_ends(&ends, files, quantities, ARRAY_SIZE(quantities));
}
