// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets by the name of the process that holds them: sockowner.
 *
 * What rows have in common is counted as they have it, and becomes labels at the end.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "../lib/utf8.h"
#include "metrics.h"

enum { PID, COMM, FD, PROTO, STAT, HELD, COLUMNS };

static const char * const columns[COLUMNS] = {
	[PID] = "PID", [COMM] = "COMM", [FD] = "FD", [PROTO] = "PROTO", [STAT] = "STAT",
	[HELD] = "HELD",
};

/* The first modules had no HELD. */
#define NEEDED		(BIT(COLUMNS) - 1 - BIT(HELD))

/**
 * struct group - rows that get the same labels
 * @comm: the name of their process, as the label has it
 * @protocol: tcp, udp ...
 * @stat: their state
 * @held: how they come to be
 * @count: how many there are
 * @of_comm: how many have the same @comm
 * @key: COMM, PROTO, STAT and HELD, as the file has them
 */
struct group {
	char *comm;
	char *protocol;
	char *stat;
	char *held;
	u64 count;
	u64 of_comm;
	struct text key;
};

static struct group *groups;
static size_t group_count;
/* Where they are, by a hash of their keys: 1 + the index; a power of two of places. */
static size_t *places;
static size_t place_count;

static bool same_key(const struct group *group, struct word key)
{
	return group->key.len == key.len && !memcmp(group->key.data, key.at, key.len);
}

static size_t *place_of(struct word key)
{
	/* Names are what users choose; where hashes begin they don't know. */
	static u64 seed;
	u64 hash;
	size_t i;

	if (!seed)
		memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof(seed));
	hash = seed;
	for (i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.at[i]) * 0x100000001b3ULL;
	for (i = hash ^ hash >> 32;; i++) {
		size_t *place = &places[i & (place_count - 1)];

		if (!*place || same_key(&groups[*place - 1], key))
			return place;
	}
}

static void more_places(void)
{
	size_t i;

	place_count = place_count ? 2 * place_count : 256;
	free(places);
	places = more(NULL, place_count, sizeof(*places));
	memset(places, 0, place_count * sizeof(*places));
	for (i = 0; i < group_count; i++)
		*place_of((struct word){ groups[i].key.data, groups[i].key.len }) = i + 1;
}

static char *label_of_comm(const struct rows *rows, struct word comm)
{
	struct text text = { };

	text_reserve(&text, SLACK);
	text_add_chars(&text, table_unescape(&rows->table, comm), -1);
	text_add(&text, "", 1);
	return text.data;
}

static struct group *new_group(const struct rows *rows, struct word key)
{
	const struct word *words = rows->words;
	size_t len = words[PROTO].len;
	struct group *group;

	/* tcp4, tcp6 and tcp46 are tcp. */
	while (len > 1 && words[PROTO].at[len - 1] >= '0' && words[PROTO].at[len - 1] <= '9')
		len--;
	groups = one_more(groups, group_count, sizeof(*groups));
	group = &groups[group_count++];
	*group = (struct group){
		.comm = label_of_comm(rows, words[COMM]),
		.protocol = copy_of(words[PROTO].at, len),
		.stat = copy_of(words[STAT].at, words[STAT].len),
		.held = copy_of(words[HELD].at, words[HELD].len),
	};
	text_add(&group->key, key.at, key.len);
	return group;
}

static void count_row(const struct rows *rows)
{
	static const unsigned int parts[] = { COMM, PROTO, STAT, HELD };
	static struct text key;
	static size_t last;
	struct word word;
	size_t i, *place;

	key.len = 0;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		text_add(&key, rows->words[parts[i]].at, rows->words[parts[i]].len);
		text_add(&key, " ", 1);
	}
	word = (struct word){ key.data, key.len };
	/* As a rule it is like the row before. */
	if (last < group_count && same_key(&groups[last], word)) {
		groups[last].count++;
		return;
	}
	if (2 * group_count >= place_count)
		more_places();
	place = place_of(word);
	if (!*place) {
		new_group(rows, word);
		*place = group_count;
	}
	last = *place - 1;
	groups[last].count++;
}

static int compare(const void *a, const void *b)
{
	const struct group *one = a, *other = b;
	int order = strcmp(one->comm, other->comm);

	order = order ?: strcmp(one->protocol, other->protocol);
	order = order ?: strcmp(one->stat, other->stat);
	return order ?: strcmp(one->held, other->held);
}

static int compare_names(const void *a, const void *b)
{
	const struct group *one = *(struct group * const *)a, *other = *(struct group * const *)b;

	if (one->of_comm != other->of_comm)
		return one->of_comm > other->of_comm ? -1 : 1;
	return strcmp(one->comm, other->comm);
}

static void free_group(struct group *group)
{
	free(group->comm);
	free(group->protocol);
	free(group->stat);
	free(group->held);
	free(group->key.data);
}

/* Sorts the groups, and makes one of those that have the same labels. */
static void merge(void)
{
	size_t i, kept = 0;

	if (!group_count)
		return;
	qsort(groups, group_count, sizeof(*groups), compare);
	for (i = 0; i < group_count; i++) {
		if (kept && !compare(&groups[kept - 1], &groups[i])) {
			groups[kept - 1].count += groups[i].count;
			free_group(&groups[i]);
		} else {
			groups[kept++] = groups[i];
		}
	}
	group_count = kept;
}

/* All groups of a name, which follow one another, become the rest's. */
static void move_to_rest(struct group *group)
{
	char *comm = group->comm;

	group->comm = copy_of(REST, 1);
	while (++group < groups + group_count && !strcmp(group->comm, comm)) {
		free(group->comm);
		group->comm = copy_of(REST, 1);
	}
	free(comm);
}

/* Who holds least has no series of its own. Sockets that nobody holds are no name's. */
static void limit_names(void)
{
	struct group **names = NULL;
	size_t i, first = 0, count = 0;

	for (i = 0; i < group_count; i++) {
		if (strcmp(groups[first].comm, groups[i].comm))
			first = i;
		groups[first].of_comm += groups[i].count;
	}
	for (i = 0; i < group_count; i++) {
		if (!groups[i].of_comm || !strcmp(groups[i].comm, "-") ||
		    !strcmp(groups[i].comm, REST))
			continue;
		names = one_more(names, count, sizeof(*names));
		names[count++] = &groups[i];
	}
	if (count > opt.limit) {
		qsort(names, count, sizeof(*names), compare_names);
		for (i = opt.limit; i < count; i++)
			move_to_rest(names[i]);
		merge();
	}
	free(names);
}

/**
 * print_sockets() - write how many sockets processes of each name hold
 */
void print_sockets(void)
{
	static const struct family family = {
		"knetstat_sockets", "gauge", NULL,
		"Descriptors that refer to a socket, by process name; and sockets that no process holds.",
	};
	struct text labels = { };
	struct rows rows;
	unsigned int found;
	size_t i;

	found = rows_open(&rows, "sockowner", columns, COLUMNS, NEEDED, false);
	if (!found)
		return;
	while (rows_next(&rows)) {
		/* All descriptors of another process are its, too: they count once. */
		if (*rows.words[FD].at == '=')
			continue;
		if (!(found & BIT(HELD)))
			rows.words[HELD] = word_of(word_is(rows.words[PID], "-") ? "-" : "fd");
		count_row(&rows);
	}
	rows_close(&rows);
	merge();
	limit_names();
	family_begin(&family);
	for (i = 0; i < group_count; i++) {
		labels.len = 0;
		label_str(&labels, "comm", groups[i].comm);
		label_str(&labels, "protocol", groups[i].protocol);
		label_str(&labels, "state", groups[i].stat);
		label_str(&labels, "held", groups[i].held);
		sample("", &labels, groups[i].count);
	}
	free(labels.data);
}
