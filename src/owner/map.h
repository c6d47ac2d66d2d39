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

/*
 * Slots are in pieces of so many: 1 MiB. vmalloc() of more looks at all of its pages,
 * to charge them, before another task has its turn: 3 ms for a million sockets.
 */
#define OWNER_MAP_PIECE	65536UL

/**
 * struct owner_map - a hash table
 * @memory: where its memory comes from
 * @pieces: its slots, at least half of them unused; NULL while there are none
 * @mask: the number of slots, a power of two, less one
 * @shift: 64 less the bits of @mask
 * @factor: a random number: who chooses keys must not know where they go
 * @count: how many are used
 */
struct owner_map {
	struct owner_memory *memory;
	struct owner_slot **pieces;
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
