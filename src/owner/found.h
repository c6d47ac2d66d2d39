/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was found out about who holds what: sockets, descriptors and processes,
 * each kept once, and rows made of them one after another.
 */
#ifndef KNETSTAT_OWNER_FOUND_H
#define KNETSTAT_OWNER_FOUND_H

#include <linux/if.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "array.h"
#include "endpoint.h"
#include "path.h"

/**
 * struct owner_un - what only a Unix socket has
 * @peer: the inode number of the socket at the other end; 0 if it has none
 * @path: its name
 * @type: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 */
struct owner_un {
	u64 peer;
	struct owner_path path;
	u8 type;
};

/* How a row comes to be: HELD. */
enum owner_held {
	OWNER_HELD_UNKNOWN,	/* by a process that is not shown, or under way to one */
	OWNER_HELD_QUEUE,	/* not accepted yet */
	OWNER_HELD_SYN,		/* a handshake */
	OWNER_HELD_TW,		/* TIME_WAIT */
	OWNER_HELD_ORPHAN,	/* closed by its process, with something still to do */
	OWNER_HELD_KERNEL,	/* the kernel's own */
	OWNER_HELD_FD,		/* a descriptor */
	OWNER_HELDS
};

/* The kinds of sockets. Of a kind's numbers the first is of IPv4. */
enum owner_proto {
	OWNER_TCP	= 0,
	OWNER_UDP	= 3,
	OWNER_RAW	= 6,
	OWNER_ICMP	= 8,
	OWNER_PACKET	= 10,
	OWNER_PROTOS	= 11,

	/* What is added for others. */
	OWNER_IPV6	= 1,
	OWNER_IPV46	= 2,	/* an IPv6 socket of TCP or UDP that takes IPv4 as well */
};

static inline bool owner_proto_tcp(u8 proto)
{
	return proto < OWNER_UDP;
}

/**
 * struct owner_sock - a socket
 * @ends: its endpoints, in sockowner; a raw socket's protocol is its local port, and a
 *	packet socket has nothing but that and its interface
 * @un: what it is otherwise, in unixowner
 * @uid: its owner, as the opener's user namespace knows it
 * @inode: its inode number; 0 if it has none
 * @cgroup: its cgroup's id; 0 if it has none
 * @netns: its network namespace's inode number
 * @iface: 1 + the number of the interface that it is bound to, or 0; while it is
 *	collected, the kernel's number of it
 * @next: 1 + the number of another socket with the same inode number, or 0; the
 *	subflows of an MPTCP socket are TCP sockets with other addresses, with
 *	the inode number of the MPTCP socket, and no descriptors
 * @proto: enum owner_proto
 * @state: TCP_ESTABLISHED and so on
 * @held: enum owner_held; by a descriptor if a process whose descriptors are shown
 *	holds it
 */
struct owner_sock {
	union {
		struct endpoints ends;
		struct owner_un un;
	};
	u32 uid;
	u32 netns;
	u64 inode;
	u64 cgroup;
	u32 iface;
	u32 next;
	u8 proto;
	u8 state;
	u8 held;
};

/**
 * struct owner_iface - an interface that sockets are bound to
 * @name: its name when the file was opened; its number if it had gone
 */
struct owner_iface {
	char name[IFNAMSIZ];
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
 * @shares: 0, or the PID of the first process with this table, if not this one
 * @first: if @shares is 0, the number of its first descriptor
 * @count: and how many there are
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
 * @ifaces: struct owner_iface
 * @fds: struct owner_fd, in the order they are shown in
 * @processes: struct owner_process, by PID
 * @paths: the names of Unix sockets
 *
 * Filled in by whoever opens the file, read only after that, freed with it.
 */
struct owner_found {
	struct owner_memory memory;
	struct owner_array socks;
	struct owner_array ifaces;
	struct owner_array fds;
	struct owner_array processes;
	struct owner_paths paths;
};

/**
 * struct owner_cursor - a place among the rows
 * @at: how many rows come before it
 * @processes: how many processes it has come to
 * @holder: the last of them that has descriptors of its own
 * @fd: the number of its next descriptor
 * @end: and of the one after its last
 * @sock: after the last process, the next socket to look at
 *
 * Begins as all zeros.
 */
struct owner_cursor {
	unsigned long at;
	unsigned long processes;
	const struct owner_process *holder;
	unsigned long fd;
	unsigned long end;
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
void owner_order_fds(struct owner_found *found, unsigned long first);

bool owner_next_holder(const struct owner_found *found,
		       struct owner_cursor *cursor, struct owner_row *row);

/**
 * owner_next_row() - the row at a place
 * @found: what was found
 * @cursor: the place; goes behind the row
 * @row: the row
 *
 * Context: Process context, may sleep.
 * Return: false at the end.
 */
static inline bool owner_next_row(const struct owner_found *found,
				  struct owner_cursor *cursor,
				  struct owner_row *row)
{
	if (unlikely(cursor->fd == cursor->end))
		return owner_next_holder(found, cursor, row);
	row->process = cursor->holder;
	row->fd = owner_array_at(&found->fds, struct owner_fd, cursor->fd++);
	row->sock = owner_array_at(&found->socks, struct owner_sock,
				   row->fd->sock);
	cursor->at++;
	return true;
}

#endif /* KNETSTAT_OWNER_FOUND_H */
