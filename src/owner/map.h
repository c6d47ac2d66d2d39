/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table from numbers to rows. Pure code: no socket, no lock.
 */
#ifndef KNETSTAT_OWNER_MAP_H
#define KNETSTAT_OWNER_MAP_H

#include <linux/types.h>

struct owner_row;

/* A key, 0 for none, and the row that it leads to, if any. */
struct owner_slot {
	u64 key;
	struct owner_row *row;
};

/**
 * struct owner_map - a hash table of fixed size; a key may be in it repeatedly
 * @slots: its slots, at least one of them unused; NULL while @count is 0
 * @mask: their number, a power of two, less one
 * @factor: a random number: who chooses keys must not know where they go
 * @count: how many are used
 */
struct owner_map {
	struct owner_slot *slots;
	unsigned long mask;
	u64 factor;
	unsigned long count;
};

int owner_map_init(struct owner_map *map, unsigned long count);
bool owner_map_add(struct owner_map *map, u64 key, struct owner_row *row);
struct owner_slot *owner_map_next(const struct owner_map *map, u64 key,
				  struct owner_slot *slot);
void owner_map_free(struct owner_map *map);

#endif /* KNETSTAT_OWNER_MAP_H */
