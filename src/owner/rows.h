/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows of sockowner, and a growing array of them.
 *
 * Pure code: no socket, no lock. Nothing here knows of other threads; what is
 * shared is guarded by who shares it.
 */
#ifndef KNETSTAT_OWNER_ROWS_H
#define KNETSTAT_OWNER_ROWS_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "endpoint.h"

/**
 * struct owner_row - a descriptor of a process, or a socket that nobody holds
 * @inode: the socket's inode number; 0 if it has none
 * @ends: its endpoints
 * @uid: its owner, as the opener's user namespace knows it
 * @udp: it is a UDP socket, and else TCP
 * @state: TCP_ESTABLISHED and so on
 * @held: a process holds it; only while rows are collected
 * @pid: the process, as the reader's PID namespace knows it; 0 if there is none
 * @fd: its descriptor
 * @comm: its name; not terminated when it is all used
 */
struct owner_row {
	u64 inode;
	struct endpoints ends;
	uid_t uid;
	bool udp;
	u8 state;
	bool held;
	u32 pid;
	u32 fd;
	char comm[TASK_COMM_LEN];
};

/* Rows are kept in pieces that are no burden to the page allocator. */
#define OWNER_CHUNK_ROWS \
	((32768 - sizeof(struct list_head) - 8) / sizeof(struct owner_row))

/**
 * struct owner_chunk - a piece of an array of rows
 * @list: the chunks of the array, in order
 * @count: how many rows this one has
 * @rows: the rows
 */
struct owner_chunk {
	struct list_head list;
	unsigned int count;
	struct owner_row rows[OWNER_CHUNK_ROWS];
};

/**
 * struct owner_rows - a growing array of rows
 * @chunks: the rows, a list of struct owner_chunk; any of them may be empty
 * @count: how many there are
 *
 * Filled in by whoever opens the file, read only after that.
 */
struct owner_rows {
	struct list_head chunks;
	unsigned long count;
};

void owner_rows_init(struct owner_rows *rows);
struct owner_chunk *owner_rows_grow(struct owner_rows *rows, unsigned int room);
void owner_rows_truncate(struct owner_rows *rows, unsigned long count);
int owner_rows_sort(struct owner_rows *rows, unsigned long first);
void owner_rows_drop_held(struct owner_rows *rows);
void owner_rows_append(struct owner_rows *rows, struct owner_rows *more);
void owner_rows_free(struct owner_rows *rows);

#endif /* KNETSTAT_OWNER_ROWS_H */
