// SPDX-License-Identifier: GPL-2.0
/*
 * What the four tables know of a socket.
 *
 * They are read whole and stay in memory as they are; a map tells where a socket's row
 * is, by its inode number, or by its two ends where it has none. It is only taken apart
 * again for what is printed.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "../lib/say.h"
#include "map.h"
#include "sockstat.h"

#define READ_SIZE	(1024 * 1024)

/* A row's key in the map is its inode number, or this and a hash of its ends. */
#define KEY_OF_ENDS	0x8000000000000000ULL

static const char * const columns[JOINED] = {
	[RECV_Q] = "Recv-Q", [SEND_Q] = "Send-Q", [LOCAL_ADDRESS] = "Local-Address",
	[FOREIGN_ADDRESS] = "Foreign-Address", [DIAG] = "Diag", [DROPS] = "Drops",
	[TABLE_INODE] = "Inode", [OPTIONS] = "Options",
};

/* The tables; with ipv6.disable=1 two of them are not there. */
static const struct {
	const char *name;
	unsigned int protos;
	bool always;
} known[] = {
	{ "tcpstat", BIT(TCP4), true },
	{ "tcp6stat", BIT(TCP6) | BIT(TCP46), false },
	{ "udpstat", BIT(UDP4), true },
	{ "udp6stat", BIT(UDP6) | BIT(UDP46), false },
};

/**
 * struct joined_table - one of the tables
 * @table: it; all of it is kept
 * @usual_cc: the congestion control of sockets that name none; NULL: not known
 * @netns: the namespace that it is of; 0: of the only one
 */
static struct joined_table {
	struct table table;
	const char *usual_cc;
	u64 netns;
} *tables;
static size_t table_count, tables_read;

/* A row's place: its table's number, and where it begins there. */
#define PLACE(table, row)	((u64)(table) << 40 | (row))
#define PLACE_TABLE(place)	((place) >> 40)
#define PLACE_ROW(place)	((place) & ((1ULL << 40) - 1))

static struct map map;
/* Whether the tables are of several namespaces, and where hashes begin: nobody knows. */
static bool several;
static u64 seed;
/* Sockets that were looked up, should have been found and were not. */
static u64 missed;

/*
 * Connections with mapped addresses are listed as IPv4's, but are in a table of
 * IPv6's; and who wants to see IPv4 wants to see what serves it.
 */
static unsigned int protos_of_tables(void)
{
	unsigned int protos = opt.protos & PORT_BITS;

	if (protos & BIT(TCP4))
		protos |= BIT(TCP6);
	if (protos & BIT(UDP4))
		protos |= BIT(UDP6);
	/* Others have no congestion control. */
	if (!(opt.shown & JOINED_COLUMNS & ~BIT(C_CC)) && !opt.trouble &&
	    !options_filtered())
		protos &= TCP_BITS;
	return protos & options_protos();
}

static bool open_one(const char *dir, const char *name, const char *usual_cc, u64 netns,
		     bool must)
{
	struct joined_table *one;
	char *path = formatted("%s/%s", dir, name);

	tables = more(tables, table_count + 1, sizeof(*tables));
	one = &tables[table_count];
	*one = (struct joined_table){
		.table.read_size = READ_SIZE, .usual_cc = usual_cc, .netns = netns,
	};
	if (must) {
		table_must_open(&one->table, path);
	} else if (!table_open(&one->table, path)) {
		free(path);
		return false;
	}
	table_count++;
	return true;
}

/**
 * join_open() - open the tables of a namespace
 * @dir: where they are
 * @usual_cc: the congestion control of its sockets that name none; NULL: not known
 * @netns: its inode number, if there are several
 *
 * Those that are in trouble have a table for themselves, where the module is new enough.
 */
void join_open(const char *dir, const char *usual_cc, u64 netns)
{
	unsigned int protos = protos_of_tables();
	size_t i;

	several = netns;
	if (opt.trouble && !options_filtered() && protos &&
	    open_one(dir, "socktrouble", usual_cc, netns, false))
		return;
	/* One namespace of several may have gone. */
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (protos & known[i].protos)
			open_one(dir, known[i].name, usual_cc, netns,
				 known[i].always && !several);
}

/* Takes the row at @p apart; returns where it ends, NULL if it is none. */
static inline const char *split(const struct table *table, const char *p,
				struct word words[JOINED + 1])
{
	size_t i, column;

	for (i = 0; i < table->fields; i++) {
		column = table->columns[i] < JOINED ? table->columns[i] : JOINED;
		p = take_word(skip_blanks(p), &words[column]);
		if (!field_ends(p))
			return NULL;
	}
	return p;
}

/* Where the hash of a row's two ends begins. */
static u64 key_begin(u64 netns)
{
	return seed ^ (several ? netns : 0);
}

static u64 hash(u64 key, struct word bytes)
{
	size_t i;

	for (i = 0; i < bytes.len; i++)
		key = (key ^ (unsigned char)bytes.at[i]) * 0x100000001b3ULL;
	return key;
}

/* An end without the interface, which the tables do not have, in two pieces. */
static void pieces(const struct end *end, struct word piece[2])
{
	struct word whole = end->whole;
	const char *stop = whole.at + whole.len;
	const char *iface = memchr(whole.at, '%', whole.len) ?: stop;
	const char *port = iface < stop ? memrchr(iface, ':', stop - iface) ?: stop : stop;

	piece[0] = (struct word){ whole.at, iface - whole.at };
	piece[1] = (struct word){ port, stop - port };
}

static u64 key_of_row(const struct row *row)
{
	struct word local[2], foreign[2];
	u64 key = key_begin(row->netns);

	if (row->inode)
		return row->inode;
	pieces(&row->local, local);
	pieces(&row->foreign, foreign);
	key = hash(hash(key, local[0]), local[1]);
	return hash(hash(key, foreign[0]), foreign[1]) | KEY_OF_ENDS;
}

static u64 key_of_words(const struct word words[JOINED], u64 inode, u64 netns)
{
	return inode ?: hash(hash(key_begin(netns), words[LOCAL_ADDRESS]),
			     words[FOREIGN_ADDRESS]) | KEY_OF_ENDS;
}

static bool is_end(struct word word, const struct end *end)
{
	struct word piece[2];

	pieces(end, piece);
	return word.len == piece[0].len + piece[1].len &&
	       !memcmp(word.at, piece[0].at, piece[0].len) &&
	       !memcmp(word.at + piece[0].len, piece[1].at, piece[1].len);
}

/*
 * The row at hand from its end: Options are the last of it, and the number before them is
 * the inode's. That is all there is to know of most; false if it is not so.
 */
static bool take_tail(struct table *table, u64 *inode, struct word *options)
{
	const char *row = table_row(table), *p;
	u64 place = 1;

	p = memchr(row, '\n', table->in.data + table->whole - row);
	table->next = p + 1 - table->in.data;
	options->len = p - row;
	options->at = memrchr(row, ' ', options->len);
	if (!options->at)
		return false;
	p = options->at++;
	options->len -= options->at - row;
	/* There is a blank before: no row begins with these. */
	while (p > row && *p == ' ')
		p--;
	*inode = 0;
	for (; p > row && (unsigned char)(*p - '0') <= 9; p--) {
		*inode += place * (*p - '0');
		place *= 10;
	}
	return options->len && place > 1 && *p == ' ';
}

static bool has_tail(const struct table *table)
{
	return table->fields > 2 && table->columns[table->fields - 1] == OPTIONS &&
	       table->columns[table->fields - 2] == TABLE_INODE;
}

/* Takes all of the row at hand, and ends it. */
static bool take_all(struct table *table, struct word words[JOINED + 1], u64 *inode)
{
	const char *p = split(table, table_row(table), words);
	const char *end = p ? take_number(words[TABLE_INODE].at, inode) : NULL;

	return field_ends(end) && table_row_ends(table, p);
}

static void read_table(size_t number)
{
	struct table *table = &tables[number].table;
	struct word words[JOINED + 1];
	u64 inode, netns = tables[number].netns;
	bool tail;

	table_read_whole(table);
	close(table->fd);
	table_header(table, columns, JOINED);
	tail = has_tail(table) && !opt.trouble;
	while (table_next(table)) {
		if (tail ? !take_tail(table, &inode, &words[OPTIONS]) :
			   !take_all(table, words, &inode))
			table_bad(table, "row");
		if (!options_wanted(words[OPTIONS]))
			continue;
		if (opt.trouble && word_is(words[DIAG], "-"))
			continue;
		/* It is by its ends that it will be found. */
		if (!inode && tail && !take_all(table, words, &inode))
			table_bad(table, "row");
		map_add(&map, key_of_words(words, inode, netns), PLACE(number, table->row));
	}
}

/**
 * join_read() - read what has been opened
 */
void join_read(void)
{
	memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof(seed));
	for (; tables_read < table_count; tables_read++)
		read_table(tables_read);
}

/**
 * join_row() - look a socket up
 * @row: its row; what was found is added, and stays until the next is looked up
 *
 * The paths of an MPTCP socket have one inode number, which makes them several rows: there
 * it is the ends that decide.
 */
void join_row(struct row *row)
{
	static struct word words[JOINED + 1], first[JOINED + 1];
	const struct map_slot *slot = NULL, *next;
	struct joined_table *table;
	u64 key = key_of_row(row);

	row->joined = NULL;
	row->usual_cc = NULL;
	for (slot = map_find(&map, key, NULL); slot; slot = next) {
		next = map_find(&map, key, slot);
		table = &tables[PLACE_TABLE(slot->value - 1)];
		if (table->netns && table->netns != row->netns)
			continue;
		table->table.row = PLACE_ROW(slot->value - 1);
		if (!split(&table->table, table_row(&table->table), words))
			table_bad(&table->table, "row");
		if ((row->inode && !next && !row->joined) ||
		    (is_end(words[LOCAL_ADDRESS], &row->local) &&
		     is_end(words[FOREIGN_ADDRESS], &row->foreign))) {
			row->joined = words;
			row->usual_cc = table->usual_cc;
			return;
		}
		if (row->inode && !row->joined) {
			memcpy(first, words, sizeof(first));
			row->joined = first;
			row->usual_cc = table->usual_cc;
		}
	}
	/* What is bound or connected has a row, unless it has changed meanwhile. */
	if (opt.verbose && !row->joined && !opt.trouble && !options_filtered() &&
	    BIT(row->proto) & protos_of_tables() && row->local.port &&
	    strcmp(row->state->stat, "CLSD"))
		missed++;
}

/**
 * join_missed() - how many sockets were not found that should be there
 *
 * Return: how many.
 */
u64 join_missed(void)
{
	return missed;
}
