/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A growing hash table from numbers to numbers. Pure code: no socket, no lock.
 */
#ifndef KNETSTAT_OWNER_MAP_H
#define KNETSTAT_OWNER_MAP_H

#include <linux/types.h>

#include "memory.h"

/* A key, 0 for none, and what it leads to. */
struct owner_slot {
	u64 key;
	u64 value;
};

/**
 * struct owner_map - a hash table
 * @memory: where its memory comes from
 * @slots: its slots, at least half of them unused; NULL while @count is 0
 * @mask: their number, a power of two, less one
 * @shift: 64 less the bits of @mask
 * @factor: a random number: who chooses keys must not know where they go
 * @count: how many are used
 */
struct owner_map {
	struct owner_memory *memory;
	struct owner_slot *slots;
	unsigned long mask;
	unsigned int shift;
	u64 factor;
	unsigned long count;
};

void owner_map_init(struct owner_map *map, struct owner_memory *memory);
int owner_map_reserve(struct owner_map *map, unsigned long count);
struct owner_slot *owner_map_get(struct owner_map *map, u64 key);
struct owner_slot *owner_map_find(const struct owner_map *map, u64 key);
void owner_map_free(struct owner_map *map);

#endif /* KNETSTAT_OWNER_MAP_H */
