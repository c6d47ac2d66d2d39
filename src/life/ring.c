// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of finished sessions. Who may do what is said in ring.h.
 */
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "ring.h"

/**
 * ring_init() - make a ring
 * @ring: the ring
 * @rows: how many rows it keeps, a power of two
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int ring_init(struct ring *ring, unsigned int rows)
{
	raw_spin_lock_init(&ring->lock);
	ring->head = 1;
	ring->mask = rows - 1;
	ring->slots = __vmalloc(array_size(rows, sizeof(*ring->slots)),
				GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				__GFP_RETRY_MAYFAIL);
	return ring->slots ? 0 : -ENOMEM;
}

/**
 * ring_exit() - free a ring
 * @ring: the ring; nobody reads or writes it any more
 *
 * Context: Process context, may sleep.
 */
void ring_exit(struct ring *ring)
{
	vfree(ring->slots);
	ring->slots = NULL;
}

/**
 * ring_write() - add a row, over the oldest one if need be
 * @ring: the ring
 * @row: the row; its view_seq is not looked at
 * @view_seq: the count of the rows of its namespace, which this one is added
 *	to, and which numbers it there
 *
 * The count is only ever changed here.
 *
 * Context: Under the ring's lock, with interrupts off.
 */
void ring_write(struct ring *ring, const struct life_row *row, u64 *view_seq)
{
	struct ring_slot *slot = &ring->slots[ring->head & ring->mask];

	lockdep_assert_held(&ring->lock);
	WRITE_ONCE(slot->seq, 0);
	/* Nothing of the new row before the 0: ring_read()'s smp_rmb(); ring-row.litmus. */
	smp_wmb();
	slot->row = *row;
	slot->row.view_seq = *view_seq + 1;
	WRITE_ONCE(*view_seq, *view_seq + 1);
	/* The number after all of the row: ring_read()'s acquire; ring-row.litmus. */
	smp_store_release(&slot->seq, ring->head);
	WRITE_ONCE(ring->head, ring->head + 1);
}

/**
 * ring_read() - copy a row
 * @ring: the ring
 * @seq: its number
 * @row: where to
 *
 * Context: Any.
 * Return: whether the row was there, and @row is a whole copy of it. It is not
 * when it has been overwritten, or was being overwritten.
 */
bool ring_read(const struct ring *ring, u64 seq, struct life_row *row)
{
	const struct ring_slot *slot = &ring->slots[seq & ring->mask];

	/* The number before the row: ring_write()'s release; ring-row.litmus. */
	if (smp_load_acquire(&slot->seq) != seq)
		return false;
	/* A data race if a writer is at work; then the number says so below. */
	data_race(*row = slot->row);
	/* The row before the second look: ring_write()'s smp_wmb(); ring-row.litmus. */
	smp_rmb();
	return READ_ONCE(slot->seq) == seq;
}

/**
 * ring_head() - where the ring ends now
 * @ring: the ring
 * @view_seq: a count that ring_write() keeps, or NULL for that of all rows
 * @view_head: where to copy it to
 *
 * Context: Any but NMI.
 * Return: the number that the next row gets; what it was when the count was
 * what @view_head says.
 */
u64 ring_head(struct ring *ring, const u64 *view_seq, u64 *view_head)
{
	unsigned long flags;
	u64 head;

	raw_spin_lock_irqsave(&ring->lock, flags);
	head = ring->head;
	*view_head = view_seq ? *view_seq : head - 1;
	raw_spin_unlock_irqrestore(&ring->lock, flags);
	return head;
}
