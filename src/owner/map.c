// SPDX-License-Identifier: GPL-2.0
/*
 * A hash table from numbers to rows. See map.h.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/random.h>

#include "map.h"
#include "memory.h"

/* Where a key is looked for first: the high bits of its product with @factor. */
static unsigned long owner_map_home(const struct owner_map *map, u64 key)
{
	return key * map->factor >> (64 - ilog2(map->mask + 1));
}

/**
 * owner_map_init() - make an empty map
 * @map: the map
 * @count: how many keys it is to hold
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOMEM.
 */
int owner_map_init(struct owner_map *map, unsigned long count)
{
	unsigned long slots = roundup_pow_of_two(max(2 * count, 16UL));

	map->mask = slots - 1;
	map->factor = get_random_u64() | 1;
	map->count = 0;
	map->slots = owner_alloc(array_size(slots, sizeof(*map->slots)),
				 __GFP_ZERO);
	return map->slots ? 0 : -ENOMEM;
}

/**
 * owner_map_add() - put a key into a map, once more if it is there already
 * @map: the map
 * @key: the key, not 0
 * @row: the row it leads to, or NULL
 *
 * Return: whether it fit.
 */
bool owner_map_add(struct owner_map *map, u64 key, struct owner_row *row)
{
	unsigned long i = owner_map_home(map, key);

	if (map->count == map->mask)
		return false;
	while (map->slots[i].key)
		i = (i + 1) & map->mask;
	map->slots[i].key = key;
	map->slots[i].row = row;
	map->count++;
	return true;
}

/**
 * owner_map_next() - find a key in a map
 * @map: the map
 * @key: the key, not 0
 * @slot: where it was found the last time, or NULL
 *
 * Context: Any.
 * Return: where else it is, or NULL.
 */
struct owner_slot *owner_map_next(const struct owner_map *map, u64 key,
				  struct owner_slot *slot)
{
	unsigned long i;

	if (!map->count)
		return NULL;
	i = slot ? slot - map->slots + 1 : owner_map_home(map, key);
	do {
		slot = &map->slots[i++ & map->mask];
		if (slot->key == key)
			return slot;
	} while (slot->key);
	return NULL;
}

/**
 * owner_map_free() - free a map
 * @map: the map; all zeros if it was not made yet
 *
 * Context: Process context, may sleep.
 */
void owner_map_free(struct owner_map *map)
{
	kvfree(map->slots);
}
