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
		.shift = ilog2(OWNER_CHUNK / size),
		.size = size,
	};
}

/* Pieces that there are, each but the last one full. */
static unsigned long owner_array_chunks(const struct owner_array *array)
{
	return (array->count + (1UL << array->shift) - 1) >> array->shift;
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
 * owner_array_add() - add an element
 * @array: the array
 * @err: set to why there is none
 *
 * Context: Process context, sleeps.
 * Return: the element, to be filled in; or NULL.
 */
void *owner_array_add(struct owner_array *array, int *err)
{
	unsigned long chunk = array->count >> array->shift;

	if (!(array->count & ((1UL << array->shift) - 1))) {
		if (chunk == array->room) {
			*err = owner_array_make_room(array);
			if (*err)
				return NULL;
		}
		array->chunks[chunk] = owner_alloc(array->memory, OWNER_CHUNK,
						   0, err);
		if (!array->chunks[chunk])
			return NULL;
	}
	return owner_array_at(array, array->count++);
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
