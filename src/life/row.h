/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A row of tcplife: what it says of a session, and how it is written.
 *
 * Pure code: no socket, no lock, any context.
 */
#ifndef KNETSTAT_LIFE_ROW_H
#define KNETSTAT_LIFE_ROW_H

#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "endpoint.h"

/* How deep below the first PID namespace a process's PIDs are kept. */
#define LIFE_PID_LEVELS	3

/**
 * struct life_task - a process, as it was when it acted on a socket
 * @pid: its PIDs: in the first PID namespace, in its own, and in the one above
 *	its own; 0 where there is none
 * @pid_ns: the latter two namespaces, as life_pid_ns_token() tells them apart
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

/*
 * How a session's process is known: it opened the listener that the session came
 * from, held it when the module was loaded, accepted, closed, connected or used it.
 * What comes later says it better.
 */
enum life_by {
	LIFE_BY_NONE, LIFE_BY_LISTEN, LIFE_BY_HOLD, LIFE_BY_ACCEPT,
	LIFE_BY_CLOSE, LIFE_BY_CONNECT, LIFE_BY_USE,
};

enum life_role { LIFE_ROLE_NONE, LIFE_ROLE_CONN, LIFE_ROLE_ACPT };

enum life_end {
	LIFE_END_NONE, LIFE_END_FIN, LIFE_END_RESET, LIFE_END_ABORT,
	LIFE_END_REFUSED, LIFE_END_TIMEOUT, LIFE_END_UNREACH,
};

/* A time that is not known. */
#define LIFE_UNKNOWN_US	U64_MAX

/**
 * struct life_row - a finished session
 * @view_seq: its number among the rows of its namespace
 * @view_id: its namespace: the id of its struct view
 * @time_us: when it ended, microseconds since 1970
 * @tx: payload bytes that the peer acknowledged
 * @rx: payload bytes received
 * @life_us: how long it lived, microseconds, or LIFE_UNKNOWN_US
 * @conn_us: how long it took to connect, or LIFE_UNKNOWN_US
 * @srtt_us: the last smoothed round-trip time, or LIFE_UNKNOWN_US
 * @cgroup: the id of its cgroup (v2), or 0
 * @ends: its endpoints
 * @task: the process it belonged to, if @by says so
 * @netns: the inode number of its namespace
 * @uid: its owner
 * @retx: segments retransmitted
 * @by: enum life_by, how the process is known
 * @role: enum life_role
 * @end: enum life_end; of a session that is alive its state
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
	u64 cgroup;
	struct endpoints ends;
	struct life_task task;
	u32 netns;
	kuid_t uid;
	u32 retx;
	u8 by;
	u8 role;
	u8 end;
};

/*
 * The most bytes that a row may take, and what its writers may scribble past
 * it. KUnit writes the widest row there can be against it.
 */
#define LIFE_ROW_MAX	512

/**
 * struct life_shown - what of a row depends on its reader
 * @seq: its number in the reader's view
 * @pid: the process's PID as the reader knows it; 0 where it may not be known
 * @uid: the owner as the reader's user namespace knows it
 */
struct life_shown {
	u64 seq;
	u32 pid;
	u32 uid;
};

extern const char life_row_header[];
extern const char life_live_header[];

char *life_row_write(char *p, const struct life_row *row,
		     const struct life_shown *shown);
char *life_live_write(char *p, const struct life_row *row,
		      const struct life_shown *shown);

#endif /* KNETSTAT_LIFE_ROW_H */
