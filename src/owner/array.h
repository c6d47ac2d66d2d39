/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Growing arrays, in pieces that are no burden to the page allocator.
 *
 * Pure code: no socket, no lock. Nothing here knows of other threads; what is
 * shared is guarded by who shares it.
 */
#ifndef KNETSTAT_OWNER_ARRAY_H
#define KNETSTAT_OWNER_ARRAY_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "memory.h"

/* A piece of an array. */
#define OWNER_CHUNK	8192

/**
 * struct owner_array - a growing array of elements of one type
 * @memory: where its memory comes from
 * @chunks: its pieces
 * @room: how many pieces @chunks has room for
 * @size: of an element
 * @each: how many elements are in a piece
 * @count: how many elements there are
 * @next: where the next one goes
 * @left: room in the last piece, from there on
 */
struct owner_array {
	struct owner_memory *memory;
	void **chunks;
	unsigned int room;
	unsigned int size;
	unsigned int each;
	unsigned int left;
	unsigned long count;
	void *next;
};

void owner_array_setup(struct owner_array *array, struct owner_memory *memory,
		       size_t size);
int owner_array_grow(struct owner_array *array);
void owner_array_truncate(struct owner_array *array, unsigned long count);
void owner_array_free(struct owner_array *array);

/* Makes an empty array of elements of a type. */
#define owner_array_init(array, memory, type) do {			\
	BUILD_BUG_ON(sizeof(type) > OWNER_CHUNK);			\
	owner_array_setup(array, memory, sizeof(type));			\
} while (0)

/**
 * owner_array_at() - an element
 * @array: the array
 * @type: the type of its elements
 * @i: its number, below the array's count
 *
 * Return: the element; it stays where it is.
 */
#define owner_array_at(array, type, i) ({				\
	const unsigned long __i = (i);					\
									\
	(type *)(array)->chunks[__i / (OWNER_CHUNK / sizeof(type))] +	\
		__i % (OWNER_CHUNK / sizeof(type));			\
})

/**
 * owner_array_add() - add an element
 * @array: the array
 * @err: set to why there is none
 *
 * Context: Process context, sleeps.
 * Return: the element, to be filled in; or NULL.
 */
static inline void *owner_array_add(struct owner_array *array, int *err)
{
	void *added;

	if (unlikely(!array->left)) {
		*err = owner_array_grow(array);
		if (*err)
			return NULL;
	}
	added = array->next;
	array->next = (char *)added + array->size;
	array->left--;
	array->count++;
	return added;
}

#endif /* KNETSTAT_OWNER_ARRAY_H */
