// SPDX-License-Identifier: GPL-2.0
/*
 * Growing arrays. See array.h.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "array.h"

/* What owner_array_init() does when it has looked at the size. */
void owner_array_setup(struct owner_array *array, struct owner_memory *memory,
		       size_t size)
{
	*array = (struct owner_array){
		.memory = memory,
		.size = size,
		.each = OWNER_CHUNK / size,
	};
}

/* Pieces that there are, each but the last one full. */
static unsigned long owner_array_chunks(const struct owner_array *array)
{
	return DIV_ROUND_UP(array->count, array->each);
}

static int owner_array_make_room(struct owner_array *array)
{
	unsigned int room = max(2 * array->room, 16U);
	void **chunks;
	int err;

	chunks = owner_alloc(array->memory, room * sizeof(*chunks), 0, &err);
	if (!chunks)
		return err;
	if (array->room)
		memcpy(chunks, array->chunks, array->room * sizeof(*chunks));
	owner_free(array->memory, array->chunks,
		   array->room * sizeof(*chunks));
	array->chunks = chunks;
	array->room = room;
	return 0;
}

/**
 * owner_array_grow() - add a piece
 * @array: the array, whose pieces are full
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_array_grow(struct owner_array *array)
{
	unsigned long chunks = owner_array_chunks(array);
	int err;

	if (chunks == array->room) {
		err = owner_array_make_room(array);
		if (err)
			return err;
	}
	array->next = owner_alloc(array->memory, OWNER_CHUNK, 0, &err);
	if (!array->next)
		return err;
	array->chunks[chunks] = array->next;
	array->left = array->each;
	return 0;
}

/**
 * owner_array_truncate() - take elements back
 * @array: the array
 * @count: how many to leave
 *
 * Context: Process context, may sleep.
 */
void owner_array_truncate(struct owner_array *array, unsigned long count)
{
	unsigned long chunk = owner_array_chunks(array), left;

	array->count = count;
	for (left = owner_array_chunks(array); chunk > left; chunk--) {
		owner_free(array->memory, array->chunks[chunk - 1], OWNER_CHUNK);
		cond_resched();
	}
	/* Of the last piece. */
	array->left = left * array->each - count;
	array->next = left ? array->chunks[left - 1] +
			     (array->each - array->left) * array->size : NULL;
}

/**
 * owner_array_free() - free an array
 * @array: the array; empty afterwards
 *
 * Context: Process context, may sleep.
 */
void owner_array_free(struct owner_array *array)
{
	owner_array_truncate(array, 0);
	owner_free(array->memory, array->chunks,
		   array->room * sizeof(*array->chunks));
	array->chunks = NULL;
	array->room = 0;
}
