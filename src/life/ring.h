/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of finished sessions.
 */
#ifndef KNETSTAT_LIFE_RING_H
#define KNETSTAT_LIFE_RING_H

#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "endpoint.h"

/* How deep below the first PID namespace a process's PIDs are kept. */
#define LIFE_PID_LEVELS	3

/**
 * struct life_task - a process, as it was when it acted on a socket
 * @pid: its PIDs: in the first PID namespace, in its own, and in the one above
 *	its own; 0 where there is none
 * @pid_ns: the latter two namespaces, as probe_pid_ns() calls them
 * @comm: its name; not terminated when it is all used
 *
 * Plain numbers and not a struct pid, whose last reference must not be dropped
 * where the ring is written. A reader in a PID namespace that lies between the
 * first and the last two of a deeper nest is told no PID.
 */
struct life_task {
	u32 pid[LIFE_PID_LEVELS];
	u32 pid_ns[LIFE_PID_LEVELS - 1];
	char comm[TASK_COMM_LEN];
};

enum life_by { LIFE_BY_NONE, LIFE_BY_LISTEN, LIFE_BY_CLOSE, LIFE_BY_CONNECT };
enum life_role { LIFE_ROLE_NONE, LIFE_ROLE_CONN, LIFE_ROLE_ACPT };
enum life_end {
	LIFE_END_NONE, LIFE_END_FIN, LIFE_END_RESET, LIFE_END_ABORT,
	LIFE_END_REFUSED, LIFE_END_TIMEOUT,
};

/* A time that is not known. */
#define LIFE_UNKNOWN_US	U64_MAX

/**
 * struct life_row - a finished session
 * @view_seq: its number among the rows of its namespace
 * @view_id: its namespace; see struct view
 * @time_us: when it ended, microseconds since 1970
 * @tx: payload bytes that the peer acknowledged
 * @rx: payload bytes received
 * @life_us: how long it lived, microseconds, or LIFE_UNKNOWN_US
 * @conn_us: how long it took to connect, or LIFE_UNKNOWN_US
 * @srtt_us: the last smoothed round-trip time, or LIFE_UNKNOWN_US
 * @ends: its endpoints
 * @task: the process it belonged to, if @by says so
 * @netns: the inode number of its namespace
 * @uid: its owner
 * @retx: segments retransmitted
 * @by: enum life_by, how the process is known
 * @role: enum life_role
 * @end: enum life_end
 */
struct life_row {
	u64 view_seq;
	u64 view_id;
	u64 time_us;
	u64 tx;
	u64 rx;
	u64 life_us;
	u64 conn_us;
	u64 srtt_us;
	struct endpoints ends;
	struct life_task task;
	u32 netns;
	kuid_t uid;
	u32 retx;
	u8 by;
	u8 role;
	u8 end;
};

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
 * @lock: held by the one who writes a row
 * @head: the number that the next row gets; the first one is 1
 * @mask: slots less one; their number is a power of two
 * @slots: row n is in slot n & @mask
 *
 * Made at load, freed at exit when no probe and no reader is left.
 *
 * Writers are probes on any CPU, in process or softirq context. @lock is raw
 * and taken with interrupts off, so that it may be taken under anything (on
 * PREEMPT_RT, too) and a probe in a softirq never finds its own CPU holding it.
 * It is held for a copy of one row: never while waiting, allocating or waking.
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
	raw_spinlock_t lock;
	u64 head;
	u64 mask;
	struct ring_slot *slots;
};

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
