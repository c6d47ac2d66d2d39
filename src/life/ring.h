/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of finished sessions.
 */
#ifndef KNETSTAT_LIFE_RING_H
#define KNETSTAT_LIFE_RING_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "row.h"

/**
 * struct ring_slot - a place for a row
 * @seq: the number of the row in it; 0 while it is being written, or empty
 * @row: the row
 */
struct ring_slot {
	u64 seq;
	struct life_row row;
};

/**
 * struct ring - the last rows that were written
 * @mask: slots less one; their number is a power of two
 * @slots: row n is in slot n & @mask
 * @lock: held by the one who writes a row, and counts it (see ports.h)
 * @head: the number that the next row gets; the first one is 1
 *
 * What is written at every session's end has a cache line of its own, apart
 * from what never changes: a reader that polls or copies must not take that
 * line away from the writers more often than it has to.
 *
 * Made at load, freed at exit when no probe and no reader is left.
 *
 * Writers are probes on any CPU, in process or softirq context. @lock is raw
 * and taken with interrupts off, so that it may be taken under anything (on
 * PREEMPT_RT, too) and a probe in a softirq never finds its own CPU holding it.
 * It is held for a copy of one row, and for what record.c has counted with it:
 * never while waiting, allocating or waking.
 * One lock is enough for 64 processors. Two that did nothing else (the same steps
 * in user space) needed 140 ns for a row, with each cache line coming from the
 * other. At 2,000,000 rows a second the lock is then held for 28 % of the time, and
 * waited for 30 ns (r / 2(1 - r) of 140, r being that share); 180 ns if lines come
 * from further away and each row takes twice as long. A session's end takes some
 * microseconds without it. A ring for each processor would have every reader merge
 * them, and wait for the slowest one to know which row is next.
 * Numbering and writing under one lock means that there is no such thing as a
 * stalled writer whom the ring could lap, and that rows are numbered in the
 * order they are found in, in each view as well.
 *
 * Readers take no lock. A slot's @seq is 0 from before the first byte of it
 * changes until after the last one has. A reader copies the row between two
 * looks at @seq, and believes the copy only if it saw the number it came for
 * both times. Numbers never come twice (they are 64 bits), so that means that
 * no writer has been there in between: a row is read whole or not at all.
 */
struct ring {
	u64 mask;
	struct ring_slot *slots;
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	u64 head;
};

#ifdef CONFIG_SMP
static_assert(offsetof(struct ring, lock) / SMP_CACHE_BYTES >
	      offsetof(struct ring, slots) / SMP_CACHE_BYTES,
	      "writers' line is not readers'");
static_assert(__alignof__(struct ring) >= SMP_CACHE_BYTES &&
	      !(sizeof(struct ring) % SMP_CACHE_BYTES),
	      "nothing else in the ring's lines");
#endif

int ring_init(struct ring *ring, unsigned int rows);
void ring_exit(struct ring *ring);
void ring_write(struct ring *ring, const struct life_row *row, u64 *view_seq);
bool ring_read(const struct ring *ring, u64 seq, struct life_row *row);
u64 ring_head(struct ring *ring, const u64 *view_seq, u64 *view_head);

/**
 * ring_tail() - the oldest row that may be in the ring
 * @ring: the ring
 * @head: its head
 *
 * Return: its number; @head when the ring is empty.
 */
static inline u64 ring_tail(const struct ring *ring, u64 head)
{
	return head > ring->mask + 1 ? head - ring->mask - 1 : 1;
}

#endif /* KNETSTAT_LIFE_RING_H */
