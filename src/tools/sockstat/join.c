// SPDX-License-Identifier: GPL-2.0
/*
 * What the tables of sockets (tcpstat and its kin) say of a socket.
 *
 * They are read whole, and their rows found by inode number, or where there is none
 * by namespace and ends. Of a row only its place is kept, and where in it the columns
 * are that may be asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/say.h"
#include "sockstat.h"

#define READ_SIZE	(256 * 1024)

/* The columns of a table. */
enum {
	T_RECV_Q, T_SEND_Q, T_LOCAL, T_FOREIGN, T_DIAG, T_DROPS, T_INODE, T_OPTIONS,
	T_COLUMNS
};

static const char * const names[T_COLUMNS] = {
	"Recv-Q", "Send-Q", "Local-Address", "Foreign-Address", "Diag", "Drops",
	"Inode", "Options",
};

/**
 * struct source - the tables of a namespace, as far as they have been read
 * @netns: its number
 * @usual: the congestion control of a socket that names none
 */
struct source {
	struct word netns;
	struct word usual;
};

static struct source *sources;
static size_t source_count;

/**
 * struct place - where a socket's row is
 * @key: what it is found by; 0: nothing is here
 * @line: the row
 * @source: 1 + whose it is if it has no inode number; 0: it has one
 * @at: where in the row the columns begin
 */
struct place {
	u64 key;
	const char *line;
	uint32_t source;
	uint16_t at[T_COLUMNS];
};

/* A hash table of open addressing, never more than half full. */
static struct place *places;
static size_t place_mask;
static size_t place_count;

static size_t slot_of(u64 key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> 32 & place_mask;
}

static void add_place(const struct place *place)
{
	size_t i = slot_of(place->key);

	while (places[i].key)
		i = (i + 1) & place_mask;
	places[i] = *place;
}

static void make_room(void)
{
	struct place *before = places;
	size_t count = place_mask + 1, i;

	if (before && 2 * place_count < place_mask)
		return;
	place_mask = before ? 4 * count - 1 : 4095;
	places = more(NULL, place_mask + 1, sizeof(*places));
	memset(places, 0, (place_mask + 1) * sizeof(*places));
	for (i = 0; before && i < count; i++)
		if (before[i].key)
			add_place(&before[i]);
	free(before);
}

static u64 hash_bytes(u64 hash, struct word word)
{
	size_t i;

	for (i = 0; i < word.len; i++)
		hash = (hash ^ (unsigned char)word.at[i]) * 0x100000001b3ULL;
	return hash;
}

/* What the row of a socket without an inode number is found by. */
static u64 key_of_ends(uint32_t source, struct word local, struct word foreign)
{
	u64 hash = hash_bytes(0xcbf29ce484222325ULL ^ source, local);

	/* No inode number is as large. */
	return hash_bytes(hash * 31, foreign) | 1ULL << 63;
}

static struct word word_in(const struct place *place, unsigned int column)
{
	struct word word;

	take_word(place->line + place->at[column], &word);
	return word;
}

/**
 * join_begin() - before the first table is read
 */
void join_begin(void)
{
	make_room();
}

/**
 * join_read() - read a table of sockets
 * @netns: the number of the namespace that it is of
 * @table: the table, open; closed afterwards
 * @usual: the congestion control of those that name none, or NULL
 */
void join_read(struct word netns, struct table *table, const char *usual)
{
	struct word *fields;
	struct place place;
	unsigned int c;
	u64 inode;
	size_t i;

	if (!source_count || sources[source_count - 1].netns.len != netns.len ||
	    memcmp(sources[source_count - 1].netns.at, netns.at, netns.len)) {
		sources = more(sources, source_count + 1, sizeof(*sources));
		sources[source_count++] = (struct source){
			{ copy_of(netns.at, netns.len), netns.len },
			usual ? word_of(usual) : (struct word){ },
		};
	}
	table->read_size = READ_SIZE;
	table_read_whole(table);
	table_header(table, names, T_COLUMNS);
	fields = more(NULL, table->fields, sizeof(*fields));
	while (table_next(table)) {
		place.line = table_row(table);
		if (!table_fields(table, fields))
			table_bad(table, "row");
		for (i = 0; i < table->fields; i++) {
			c = table->columns[i];
			if (c != OTHER)
				place.at[c] = fields[i].at - place.line;
		}
		if (!take_number(place.line + place.at[T_INODE], &inode))
			table_bad(table, "row");
		place.key = inode;
		place.source = 0;
		if (!inode) {
			place.source = source_count;
			place.key = key_of_ends(source_count, word_in(&place, T_LOCAL),
						word_in(&place, T_FOREIGN));
		}
		make_room();
		add_place(&place);
		place_count++;
	}
	free(fields);
	table_close(table);
}

/* The tables of a row's namespace: 1 + their number, or 0. */
static uint32_t source_of(const struct row *row)
{
	size_t i;

	if (!row->netns.len)
		return source_count ? 1 : 0;
	for (i = 0; i < source_count; i++)
		if (sources[i].netns.len == row->netns.len &&
		    !memcmp(sources[i].netns.at, row->netns.at, row->netns.len))
			return i + 1;
	return 0;
}

/* An end as the tables have it: without the interface. */
static struct word plain_end(const struct end *end, char *text, size_t size)
{
	size_t port = end->iface.len ? end->iface.len + 1 : 0, rest;

	if (!port)
		return end->whole;
	rest = end->whole.len - end->addr.len - port;
	if (end->addr.len + rest > size)
		return (struct word){ };
	memcpy(text, end->addr.at, end->addr.len);
	memcpy(text + end->addr.len, end->addr.at + end->addr.len + port, rest);
	return (struct word){ text, end->addr.len + rest };
}

static bool same(struct word a, struct word b)
{
	return a.len == b.len && !memcmp(a.at, b.at, a.len);
}

/* Of several with one inode number, as an MPTCP connection's subflows are, that with its ends. */
static const struct place *find_place(const struct row *row)
{
	struct word local, foreign;
	const struct place *first = NULL;
	char text[2][128];
	uint32_t source = 0;
	u64 key = row->inode;
	bool more = !key;
	size_t i;

	local = plain_end(&row->local, text[0], sizeof(text[0]));
	foreign = plain_end(&row->foreign, text[1], sizeof(text[1]));
	if (!key) {
		source = source_of(row);
		key = key_of_ends(source, local, foreign);
	}
	for (i = slot_of(key); places[i].key; i = (i + 1) & place_mask) {
		if (places[i].key != key || places[i].source != source)
			continue;
		more |= !!first;
		first = first ?: &places[i];
	}
	for (i = slot_of(key); more && places[i].key; i = (i + 1) & place_mask) {
		if (places[i].key == key && places[i].source == source &&
		    same(word_in(&places[i], T_LOCAL), local) &&
		    same(word_in(&places[i], T_FOREIGN), foreign))
			return &places[i];
	}
	return source ? NULL : first;
}

/**
 * join() - what the tables say of a socket
 * @row: its row
 * @joined: to be filled in
 */
void join(const struct row *row, struct joined *joined)
{
	const struct place *place;

	*joined = (struct joined){ };
	if (!(BIT(row->proto) & (TCP_BITS | UDP_BITS)) || !netns_tables(row))
		return;
	place = find_place(row);
	if (!place)
		return;
	joined->recv_q = word_in(place, T_RECV_Q);
	joined->send_q = word_in(place, T_SEND_Q);
	joined->diag = word_in(place, T_DIAG);
	joined->drops = word_in(place, T_DROPS);
	joined->options = word_in(place, T_OPTIONS);
}

/**
 * joined_option() - the value of a socket option
 * @joined: what the tables say
 * @name: the option
 *
 * Return: its value; nothing if it is not named.
 */
struct word joined_option(const struct joined *joined, const char *name)
{
	struct word list = joined->options, one;
	size_t len = strlen(name);
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
 * congestion_of() - the congestion control of a socket
 * @row: its row
 * @joined: what the tables say of it
 *
 * Return: its name; nothing where it is not known, as of sockets that are in no
 * table of TCP sockets.
 */
struct word congestion_of(const struct row *row, const struct joined *joined)
{
	uint32_t source = source_of(row);
	struct word name = joined_option(joined, "TCP_CONGESTION");

	/* What has no inode number has no options. */
	if (name.len || !joined->options.len || !row->inode || !source ||
	    !(BIT(row->proto) & TCP_BITS))
		return name;
	return sources[source - 1].usual;
}
