// SPDX-License-Identifier: GPL-2.0
/*
 * A map from numbers to numbers. See map.h.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/text.h"
#include "map.h"

#define BITS_MIN	10

static void put(struct map *map, u64 key, u64 value)
{
	size_t mask = ((size_t)1 << map->bits) - 1, i = map_place(map, key);

	while (map->slots[i].value)
		i = (i + 1) & mask;
	map->slots[i] = (struct map_slot){ key, value };
}

static void grow(struct map *map)
{
	struct map old = *map;
	size_t i, first = 0, size = old.slots ? (size_t)1 << old.bits : 0;

	map->bits = old.slots ? old.bits + 2 : BITS_MIN;
	map->slots = more(NULL, (size_t)1 << map->bits, sizeof(*map->slots));
	memset(map->slots, 0, sizeof(*map->slots) << map->bits);
	/* From the beginning of a run on, so that equal keys stay in their order. */
	while (first < size && old.slots[first].value)
		first++;
	for (i = first; i < first + size; i++) {
		const struct map_slot *slot = &old.slots[i & (size - 1)];

		if (slot->value)
			put(map, slot->key, slot->value);
	}
	free(old.slots);
}

/**
 * map_add() - add an entry
 * @map: the map
 * @key: its key
 * @value: its value
 */
void map_add(struct map *map, u64 key, u64 value)
{
	if (!map->slots || map->count * 2 >= (size_t)1 << map->bits)
		grow(map);
	put(map, key, value + 1);
	map->count++;
}
