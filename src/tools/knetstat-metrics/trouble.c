// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in trouble, by mark: socktrouble.
 */
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

/* All that there are; each has a series, also when there is no such socket. */
static const char * const marks[] = {
	">|", "|<", ">|<", ">#", ">R", "K?", "!A", "C?", "!B",
};

/* What a newer module may have. */
#define OTHER_MARK	ARRAY_SIZE(marks)

/**
 * has_mark() - whether a mark is one of a row's
 * @diag: its field Diag
 * @mark: the mark
 *
 * Return: whether it is.
 */
bool has_mark(struct word diag, const char *mark)
{
	size_t len = strlen(mark), i;

	for (i = 0; i + len <= diag.len; i++)
		if (!memcmp(diag.at + i, mark, len) && (!i || diag.at[i - 1] == ',') &&
		    (i + len == diag.len || diag.at[i + len] == ','))
			return true;
	return false;
}

static void count_marks(struct word diag, u64 counts[OTHER_MARK + 1])
{
	size_t i, known = 0, all = 1;

	for (i = 0; i < OTHER_MARK; i++) {
		if (has_mark(diag, marks[i])) {
			counts[i]++;
			known++;
		}
	}
	for (i = 0; i < diag.len; i++)
		all += diag.at[i] == ',';
	counts[OTHER_MARK] += known < all;
}

/**
 * print_trouble() - write how many sockets are in trouble
 */
void print_trouble(void)
{
	static const char * const columns[] = { "Diag" };
	static const struct family sockets = {
		"knetstat_trouble_sockets", "gauge", NULL,
		"Sockets that are in trouble: with a mark in Diag.",
	}, marked = {
		"knetstat_trouble_marks", "gauge", NULL,
		"Sockets that have this mark in Diag.",
	};
	static u64 counts[OTHER_MARK + 1];
	struct text labels = { };
	struct rows rows;
	u64 count = 0;
	size_t i;

	if (!rows_open(&rows, "socktrouble", columns, ARRAY_SIZE(columns), BIT(0), false))
		return;
	while (rows_next(&rows)) {
		count_marks(rows.words[0], counts);
		count++;
	}
	rows_close(&rows);
	family_begin(&sockets);
	sample("", NULL, count);
	family_begin(&marked);
	for (i = 0; i <= OTHER_MARK; i++) {
		if (i == OTHER_MARK && !counts[i])
			break;
		labels.len = 0;
		label_str(&labels, "mark", i < OTHER_MARK ? marks[i] : "other");
		sample("", &labels, counts[i]);
	}
	free(labels.data);
}
