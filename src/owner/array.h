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
#include <linux/log2.h>
#include <linux/types.h>

#include "memory.h"

/* A piece of an array. */
#define OWNER_CHUNK	8192

/**
 * struct owner_array - a growing array of elements of one size
 * @memory: where its memory comes from
 * @chunks: its pieces
 * @room: how many pieces @chunks has room for
 * @shift: how many elements a piece has, as a power of two
 * @size: of an element
 * @count: how many elements there are
 */
struct owner_array {
	struct owner_memory *memory;
	void **chunks;
	unsigned int room;
	u8 shift;
	u8 size;
	unsigned long count;
};

void owner_array_setup(struct owner_array *array, struct owner_memory *memory,
		       size_t size);
void *owner_array_add(struct owner_array *array, int *err);
void owner_array_truncate(struct owner_array *array, unsigned long count);
void owner_array_free(struct owner_array *array);

/* Makes an empty array of elements of a type, whose size is a power of two. */
#define owner_array_init(array, memory, type) do {			\
	BUILD_BUG_ON(sizeof(type) & (sizeof(type) - 1));		\
	owner_array_setup(array, memory, sizeof(type));			\
} while (0)

/**
 * owner_array_at() - an element
 * @array: the array
 * @i: its number, below the array's count
 *
 * Return: the element; it stays where it is.
 */
static inline void *owner_array_at(const struct owner_array *array,
				   unsigned long i)
{
	unsigned long in_chunk = i & ((1UL << array->shift) - 1);

	return (char *)array->chunks[i >> array->shift] + in_chunk * array->size;
}

#endif /* KNETSTAT_OWNER_ARRAY_H */
