// SPDX-License-Identifier: GPL-2.0
/*
 * A growing array of rows. See rows.h. Its memory is in proportion to the rows.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "memory.h"
#include "rows.h"

static struct owner_chunk *owner_rows_last(const struct owner_rows *rows)
{
	if (list_empty(&rows->chunks))
		return NULL;
	return list_last_entry(&rows->chunks, struct owner_chunk, list);
}

static void owner_chunk_free(struct owner_chunk *chunk)
{
	list_del(&chunk->list);
	kvfree(chunk);
}

/**
 * owner_rows_init() - make an array of no rows
 * @rows: the array
 */
void owner_rows_init(struct owner_rows *rows)
{
	INIT_LIST_HEAD(&rows->chunks);
	rows->count = 0;
}

/**
 * owner_rows_grow() - get room at the end
 * @rows: the array
 * @room: for so many rows, at most OWNER_CHUNK_ROWS
 *
 * Who fills in a row there counts it, in the chunk and in @rows.
 *
 * Context: Process context, sleeps.
 * Return: the last chunk, which has that room; or NULL.
 */
struct owner_chunk *owner_rows_grow(struct owner_rows *rows, unsigned int room)
{
	struct owner_chunk *chunk = owner_rows_last(rows);

	if (chunk && OWNER_CHUNK_ROWS - chunk->count >= room)
		return chunk;
	chunk = owner_alloc(sizeof(*chunk), 0);
	if (!chunk)
		return NULL;
	chunk->count = 0;
	list_add_tail(&chunk->list, &rows->chunks);
	return chunk;
}

/**
 * owner_rows_truncate() - take rows back
 * @rows: the array
 * @count: how many to leave
 *
 * Context: Process context, may sleep.
 */
void owner_rows_truncate(struct owner_rows *rows, unsigned long count)
{
	while (rows->count > count) {
		struct owner_chunk *chunk = owner_rows_last(rows);
		unsigned int n = min_t(unsigned long, rows->count - count,
				       chunk->count);

		chunk->count -= n;
		rows->count -= n;
		if (!chunk->count)
			owner_chunk_free(chunk);
		cond_resched();
	}
}

static int owner_compare(const void *a, const void *b)
{
	const struct owner_row *one = a, *other = b;

	/* sort() itself does not; who sorts a million rows has to. */
	cond_resched();
	if (one->fd != other->fd)
		return one->fd < other->fd ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	/* With what pads them, which owner_copy_addresses() clears. */
	return memcmp(&one->ends, &other->ends, sizeof(one->ends));
}

/**
 * owner_rows_sort() - order a process's rows by descriptor, each once
 * @rows: the array
 * @first: the process's first row; all from there on are its rows
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOMEM; then rows may be missing.
 */
int owner_rows_sort(struct owner_rows *rows, unsigned long first)
{
	unsigned long count = rows->count - first, at = count, i;
	struct owner_row *sorted;
	struct owner_chunk *chunk;

	if (count < 2)
		return 0;
	sorted = owner_alloc(array_size(count, sizeof(*sorted)), 0);
	if (!sorted)
		return -ENOMEM;
	while (at) {
		unsigned int n;

		chunk = owner_rows_last(rows);
		n = min_t(unsigned long, at, chunk->count);
		at -= n;
		memcpy(&sorted[at], &chunk->rows[chunk->count - n],
		       n * sizeof(*sorted));
		owner_rows_truncate(rows, rows->count - n);
		/* An empty one is still there if it was so before. */
		if (!n)
			owner_chunk_free(chunk);
	}
	sort(sorted, count, sizeof(*sorted), owner_compare, NULL);
	for (i = 0; i < count; i++) {
		if (i && !owner_compare(&sorted[i - 1], &sorted[i]))
			continue;
		chunk = owner_rows_grow(rows, 1);
		if (!chunk)
			break;
		chunk->rows[chunk->count++] = sorted[i];
		rows->count++;
	}
	kvfree(sorted);
	return i < count ? -ENOMEM : 0;
}

/**
 * owner_rows_drop_held() - leave out the rows that are marked as held
 * @rows: the array
 *
 * The others move up, and the memory that they no longer need is freed.
 *
 * Context: Process context, may sleep.
 */
void owner_rows_drop_held(struct owner_rows *rows)
{
	struct owner_chunk *to, *from, *next;
	unsigned int kept = 0, count, i;

	rows->count = 0;
	to = list_first_entry(&rows->chunks, struct owner_chunk, list);
	list_for_each_entry(from, &rows->chunks, list) {
		/* Before any row is moved into this chunk. */
		count = from->count;
		for (i = 0; i < count; i++) {
			if (from->rows[i].held)
				continue;
			if (kept == OWNER_CHUNK_ROWS) {
				to->count = kept;
				to = list_next_entry(to, list);
				kept = 0;
			}
			to->rows[kept++] = from->rows[i];
			rows->count++;
		}
		cond_resched();
	}
	if (list_empty(&rows->chunks))
		return;
	to->count = kept;
	list_for_each_entry_safe_continue(to, next, &rows->chunks, list)
		owner_chunk_free(to);
}

/**
 * owner_rows_append() - move rows from one array to the end of another
 * @rows: where to
 * @more: the rows; empty afterwards
 */
void owner_rows_append(struct owner_rows *rows, struct owner_rows *more)
{
	list_splice_tail_init(&more->chunks, &rows->chunks);
	rows->count += more->count;
	more->count = 0;
}

/**
 * owner_rows_free() - free all rows
 * @rows: the array; empty afterwards
 *
 * Context: Process context, may sleep.
 */
void owner_rows_free(struct owner_rows *rows)
{
	struct owner_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &rows->chunks, list) {
		owner_chunk_free(chunk);
		cond_resched();
	}
	rows->count = 0;
}
