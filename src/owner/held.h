/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sockets that processes hold: what a walk through all descriptors is told.
 */
#ifndef KNETSTAT_OWNER_HELD_H
#define KNETSTAT_OWNER_HELD_H

#include <linux/uidgid.h>

#include "collect.h"

/**
 * struct owner_seen - a descriptor and its socket, as they were copied
 * @fd: the descriptor
 * @number: the number of the socket if it is known already, or OWNER_UNKNOWN
 * @mptcp: it is an MPTCP socket; then @number is that of its first subflow
 * @kuid: the owner of one that is not known
 * @sock: the rest of one that is not known
 * @sk: such a socket itself, if its kind holds it until the locks are dropped
 */
struct owner_seen {
	u32 fd;
	u32 number;
	bool mptcp;
	kuid_t kuid;
	struct owner_sock sock;
	struct sock *sk;
};

#define OWNER_UNKNOWN	U32_MAX

/**
 * struct owner_kind - which sockets are looked for, and what is kept of them
 * @all_nets: the host's administrator is shown those of all namespaces
 * @hashed: adds all that are in the kernel's tables
 * @wanted: whether a socket that a descriptor refers to is one of them; its namespace
 *	included
 * @copy: copies a socket that is not known yet, but for its owner and inode; or holds it,
 *	for @add to copy
 * @add: adds it, when its owner and inode are there, too
 * @put: lets go of what @copy has held; NULL: it holds nothing
 *
 * @wanted and @copy are called under the locks that walk.h names. Under them a
 * descriptor's socket stays. The others may sleep; @hashed and @add return 0 or a
 * negative error.
 */
struct owner_kind {
	bool all_nets;
	int (*hashed)(struct owner_collect *collect);
	bool (*wanted)(struct owner_collect *collect, const struct sock *sk);
	void (*copy)(struct owner_collect *collect, struct owner_seen *seen,
		     struct sock *sk);
	int (*add)(struct owner_collect *collect, const struct owner_seen *seen);
	void (*put)(struct owner_seen *seen);
};

int owner_collect_held(struct owner_collect *collect,
		       const struct owner_kind *kind);

#endif /* KNETSTAT_OWNER_HELD_H */
