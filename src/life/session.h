/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of live sessions: what is known of a socket from its beginning.
 */
#ifndef KNETSTAT_LIFE_SESSION_H
#define KNETSTAT_LIFE_SESSION_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "row.h"

/**
 * struct session - what is known of a live TCP socket
 * @start_us: when its SYN was sent or, of an accepted one, when it was made
 *	from that; microseconds of ktime_get(); 0 if it is older than the module
 * @by: enum life_by
 * @role: enum life_role
 * @listener: it is a listener, and no session
 * @established: it has been in ESTABLISHED
 * @repaired: it was made by TCP_REPAIR, without a handshake
 * @netns: its namespace, by inode number, which no other has while it lives
 * @task: the process it belongs to, if @by says so; of a listener, who opened
 *	it
 * @conn_us: from @start_us to ESTABLISHED, if @established
 * @received: the low bits of tcp_sock's bytes_received when its FIN was queued
 * @segs: those of segs_in
 * @data_segs: those of data_segs_in
 * @stamp: even while the session is being changed or there is none, and so 0 of a
 *	place that was never anybody's
 * @read: how much its program had read when it was last seen to: use_mark()
 */
struct session {
	u64 start_us	: 56;
	u64 by		: 3;
	u64 role	: 2;
	u64 listener	: 1;
	u64 established	: 1;
	u64 repaired	: 1;
	struct life_task task;
	u32 netns;
	u32 conn_us;
	u32 received;
	u16 segs;
	u16 data_segs;
	u16 stamp;
	u16 read;
};

static_assert(sizeof(struct session) == 64, "a cache line each");

/*
 * The program that has read more bytes than this is known, as far as it will be.
 * No read of one go, in which a splice() or a large segment is copied, is longer.
 */
#define SESSION_READ_MAX	(2 << 20)

/* A line of addresses is looked through at once. */
#define SESSION_LINE	8
/* How many lines from the first one a session may be in. */
#define SESSION_LINES	4

/**
 * struct session_table - the live sessions, by their sockets
 * @line_mask: lines less one; their number is a power of two
 * @keys: for each place, the address of the socket it is of, or 0
 * @sessions: for each place, the session
 *
 * Made at load, freed at exit when no probe is left. Fixed in size: twice as
 * many places as sessions were asked for, so that a socket's own few lines of
 * keys are next to never full before the whole is.
 *
 * There is no lock. A key is an address, never followed. A place is claimed by
 * cmpxchg() of its key from 0, and given back by storing 0; in between it is
 * the socket's, and all that happens to a socket's state happens under that
 * socket's lock (or before anyone else can see it), on whatever CPU: so one
 * probe at a time reads and writes the session, and the socket's lock orders
 * them. A softirq that interrupts a probe is at work on another socket: it
 * holds the lock of its own, and ours is taken.
 *
 * Others may look, without that lock: a new connection at the session of its
 * listener (session_copy_task()), a reader of tcplive at all (session_copy()).
 * @stamp tells them that it changed meanwhile, as a seqcount does; between the
 * claim and the first change, too, which is why it is even then.
 *
 * The arguments about memory order, here and in the ring, are in tests/litmus as
 * well, and proved there.
 */
struct session_table {
	unsigned long line_mask;
	unsigned long *keys;
	struct session *sessions;
};

/**
 * session_write_begin() - before a claimed session's fields are filled in
 * @session: the session
 *
 * What nobody reads without the socket's lock needs no such care: @received,
 * @segs, @data_segs and @read.
 */
static inline void session_write_begin(struct session *session)
{
	WRITE_ONCE(session->stamp, (session->stamp + 1) & ~1);
	/*
	 * The even stamp before any change: the copiers' smp_rmb().
	 * See session-change.litmus.
	 */
	smp_wmb();
}

/**
 * session_write_end() - after a claimed session's fields are filled in
 * @session: the session
 */
static inline void session_write_end(struct session *session)
{
	/*
	 * All changes before the odd stamp: the copiers' acquire.
	 * See session-change.litmus.
	 */
	smp_store_release(&session->stamp, session->stamp + 1);
}

/* How many places a table has. */
static inline unsigned long session_places(const struct session_table *table)
{
	return (table->line_mask + 1) * SESSION_LINE;
}

int session_table_init(struct session_table *table, unsigned int sessions);
void session_table_exit(struct session_table *table);
struct session *session_claim(struct session_table *table, const void *sk);
struct session *session_find(const struct session_table *table, const void *sk);
void session_release(struct session_table *table, struct session *session);
bool session_copy_task(const struct session_table *table, const void *sk,
		       struct life_task *task);
bool session_copy(const struct session_table *table, unsigned long place,
		  unsigned long key, struct session *copy);
unsigned long session_count(const struct session_table *table, u32 netns);

#endif /* KNETSTAT_LIFE_SESSION_H */
