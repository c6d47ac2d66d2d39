/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was found out about who holds what: sockets, descriptors and processes,
 * each kept once, and rows made of them one after another.
 */
#ifndef KNETSTAT_OWNER_FOUND_H
#define KNETSTAT_OWNER_FOUND_H

#include <linux/sched.h>
#include <linux/types.h>

#include "array.h"
#include "endpoint.h"

/**
 * struct owner_sock - a socket
 * @ends: its endpoints
 * @uid: its owner, as the opener's user namespace knows it
 * @inode: its inode number; 0 if it has none
 * @next: 1 + the number of another one with the same inode number, or 0: the
 *	subflows of an MPTCP socket, which are TCP sockets with other addresses,
 *	have that of the socket that they belong to, and no descriptors
 * @udp: it is a UDP socket, and else TCP
 * @state: TCP_ESTABLISHED and so on
 * @held: a process holds it whose descriptors are shown
 */
struct owner_sock {
	struct endpoints ends;
	u32 uid;
	u64 inode;
	u32 next;
	bool udp;
	u8 state;
	bool held;
};

/**
 * struct owner_fd - a descriptor
 * @fd: its number
 * @sock: the number of its socket
 */
struct owner_fd {
	u32 fd;
	u32 sock;
};

/**
 * struct owner_process - a process and a table of descriptors
 * @pid: the process, as the reader's PID namespace knows it
 * @shares: 0; or the first process that has the table, if that is another one
 * @first: of the first: the number of the first of its descriptors
 * @count: how many there are
 * @comm: its name; not terminated when it is all used
 *
 * A table that processes share is kept for the first of them.
 */
struct owner_process {
	u32 pid;
	u32 shares;
	u32 first;
	u32 count;
	char comm[TASK_COMM_LEN];
};

/**
 * struct owner_found - all that an open file shows
 * @memory: where its memory comes from
 * @socks: struct owner_sock
 * @fds: struct owner_fd, in the order they are shown in
 * @processes: struct owner_process, by PID
 *
 * Filled in by whoever opens the file, read only after that, freed with it.
 */
struct owner_found {
	struct owner_memory memory;
	struct owner_array socks;
	struct owner_array fds;
	struct owner_array processes;
};

/**
 * struct owner_cursor - a place among the rows
 * @at: how many rows come before it
 * @process: the process it is at
 * @fd: which of its descriptors
 * @sock: after the last process, the socket that nobody holds
 *
 * Begins as all zeros.
 */
struct owner_cursor {
	unsigned long at;
	unsigned long process;
	unsigned long fd;
	unsigned long sock;
};

/**
 * struct owner_row - a row
 * @process: who holds the socket; NULL: nobody
 * @fd: by which descriptor; NULL where there is none
 * @sock: the socket; NULL: the process shares its descriptors
 */
struct owner_row {
	const struct owner_process *process;
	const struct owner_fd *fd;
	const struct owner_sock *sock;
};

void owner_found_init(struct owner_found *found);
void owner_found_free(struct owner_found *found);
bool owner_next_row(const struct owner_found *found,
		    struct owner_cursor *cursor, struct owner_row *row);
void owner_order_fds(struct owner_found *found, unsigned long first);

#endif /* KNETSTAT_OWNER_FOUND_H */
