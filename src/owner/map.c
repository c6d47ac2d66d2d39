// SPDX-License-Identifier: GPL-2.0
/*
 * A growing hash table. See map.h.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "map.h"

/**
 * owner_map_init() - make an empty map
 * @map: the map
 * @memory: where its memory comes from
 */
void owner_map_init(struct owner_map *map, struct owner_memory *memory)
{
	*map = (struct owner_map){ .memory = memory };
}

/* The slot that has a key, or the one to put it in. */
static struct owner_slot *owner_map_slot(const struct owner_map *map, u64 key)
{
	/* The high bits of the product. */
	unsigned long i = key * map->factor >> map->shift;

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & map->mask;
	return &map->slots[i];
}

/**
 * owner_map_reserve() - make room
 * @map: the map
 * @count: for so many keys in all
 *
 * What it takes to make room for one after another is in proportion to them.
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_map_reserve(struct owner_map *map, unsigned long count)
{
	unsigned long slots = roundup_pow_of_two(max(2 * count, 16UL)), i;
	struct owner_map old = *map;
	int err;

	if (map->slots && slots <= map->mask + 1)
		return 0;
	map->slots = owner_alloc(map->memory, array_size(slots, sizeof(*map->slots)),
				 __GFP_ZERO, &err);
	if (!map->slots) {
		*map = old;
		return err;
	}
	map->mask = slots - 1;
	map->shift = 64 - ilog2(slots);
	map->factor = get_random_u64() | 1;
	for (i = 0; old.slots && i <= old.mask; i++) {
		if (old.slots[i].key)
			*owner_map_slot(map, old.slots[i].key) = old.slots[i];
		if (!(i % 4096))
			cond_resched();
	}
	owner_map_free(&old);
	return 0;
}

/**
 * owner_map_get() - find a key, or put it in
 * @map: the map, with room for it
 * @key: the key, not 0
 *
 * Context: Any.
 * Return: its slot, which leads to 0 if it is new.
 */
struct owner_slot *owner_map_get(struct owner_map *map, u64 key)
{
	struct owner_slot *slot = owner_map_slot(map, key);

	map->count += !slot->key;
	slot->key = key;
	return slot;
}

/**
 * owner_map_find() - find a key
 * @map: the map
 * @key: the key, not 0
 *
 * Context: Any.
 * Return: its slot, or NULL.
 */
struct owner_slot *owner_map_find(const struct owner_map *map, u64 key)
{
	struct owner_slot *slot;

	if (!map->count)
		return NULL;
	slot = owner_map_slot(map, key);
	return slot->key ? slot : NULL;
}

/**
 * owner_map_free() - free a map
 * @map: the map; empty afterwards
 *
 * Context: Process context, may sleep.
 */
void owner_map_free(struct owner_map *map)
{
	if (map->slots)
		owner_free(map->memory, map->slots,
			   (map->mask + 1) * sizeof(*map->slots));
	map->slots = NULL;
	map->count = 0;
}
