/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A map from numbers to numbers, which need not be unique: open addressing.
 */
#ifndef KNETSTAT_SOCKSTAT_MAP_H
#define KNETSTAT_SOCKSTAT_MAP_H

#include "../lib/common.h"

/**
 * struct map_slot - an entry
 * @key: what it is found by
 * @value: 1 + its value; 0: the slot is free
 */
struct map_slot {
	u64 key;
	u64 value;
};

/**
 * struct map - a map, empty if it is all zeros
 * @slots: a power of two of them; at least half are free
 * @bits: how many bits of a hash tell the slot
 * @count: how many are used
 */
struct map {
	struct map_slot *slots;
	unsigned int bits;
	size_t count;
};

void map_add(struct map *map, u64 key, u64 value);

/* Where a key is looked for first. The inode numbers of a host come close together. */
static inline size_t map_place(const struct map *map, u64 key)
{
	return key * 0x9e3779b97f4a7c15ULL >> (64 - map->bits);
}

/**
 * map_find() - find an entry
 * @map: the map
 * @key: its key
 * @last: the one that was found before of that key; NULL: the first
 *
 * Return: the entry, in the order that they were added in; NULL after the last.
 */
static inline const struct map_slot *map_find(const struct map *map, u64 key,
					      const struct map_slot *last)
{
	size_t i;

	if (!map->count)
		return NULL;
	i = last ? (size_t)(last - map->slots) + 1 : map_place(map, key);
	for (;; i++) {
		const struct map_slot *slot =
			&map->slots[i & (((size_t)1 << map->bits) - 1)];

		if (!slot->value)
			return NULL;
		if (slot->key == key)
			return slot;
	}
}

#endif /* KNETSTAT_SOCKSTAT_MAP_H */
