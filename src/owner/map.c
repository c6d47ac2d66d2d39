// SPDX-License-Identifier: GPL-2.0
/*
 * A growing hash table. See map.h.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
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

static struct owner_slot *owner_map_at(const struct owner_map *map, unsigned long i)
{
	return &map->pieces[i / OWNER_MAP_PIECE][i % OWNER_MAP_PIECE];
}

/* The slot that has a key, or the one to put it in. */
static struct owner_slot *owner_map_slot(const struct owner_map *map, u64 key)
{
	/* The high bits of the product. */
	unsigned long i = key * map->factor >> map->shift;
	struct owner_slot *slot = owner_map_at(map, i);

	while (slot->key && slot->key != key) {
		i = (i + 1) & map->mask;
		slot = owner_map_at(map, i);
	}
	return slot;
}

static unsigned long owner_map_pieces(const struct owner_map *map)
{
	return DIV_ROUND_UP(map->mask + 1, OWNER_MAP_PIECE);
}

static size_t owner_map_piece_size(const struct owner_map *map)
{
	return min(map->mask + 1, OWNER_MAP_PIECE) * sizeof(struct owner_slot);
}

/* Makes the slots, all of them unused. */
static int owner_map_make(struct owner_map *map)
{
	unsigned long count = owner_map_pieces(map), i;
	int err;

	map->pieces = owner_alloc(map->memory, array_size(count, sizeof(*map->pieces)),
				  __GFP_ZERO, &err);
	if (!map->pieces)
		return err;
	for (i = 0; i < count; i++) {
		map->pieces[i] = owner_alloc(map->memory, owner_map_piece_size(map),
					     __GFP_ZERO, &err);
		if (!map->pieces[i]) {
			owner_map_free(map);
			return err;
		}
		cond_resched();
	}
	return 0;
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

	if (map->pieces && slots <= map->mask + 1)
		return 0;
	map->mask = slots - 1;
	map->shift = 64 - ilog2(slots);
	map->factor = get_random_u64() | 1;
	err = owner_map_make(map);
	if (err) {
		*map = old;
		return err;
	}
	for (i = 0; old.pieces && i <= old.mask; i++) {
		const struct owner_slot *slot = owner_map_at(&old, i);

		if (slot->key)
			*owner_map_slot(map, slot->key) = *slot;
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
	unsigned long i;

	if (!map->pieces)
		return;
	for (i = 0; i < owner_map_pieces(map); i++) {
		owner_free(map->memory, map->pieces[i], owner_map_piece_size(map));
		cond_resched();
	}
	owner_free(map->memory, map->pieces,
		   owner_map_pieces(map) * sizeof(*map->pieces));
	map->pieces = NULL;
	map->count = 0;
}
