/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Collecting: who holds what, at one moment.
 */
#ifndef KNETSTAT_OWNER_COLLECT_H
#define KNETSTAT_OWNER_COLLECT_H

#include <linux/cred.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "found.h"
#include "map.h"

/**
 * struct owner_collect - what is known while all is collected
 * @seq: the file that is being opened; its private data begin with a struct
 *	iter, and pde_data() of it is an iter_afinfo of AF_UNSPEC
 * @found: where to
 * @by_inode: for an inode number, 1 + the number of a socket that has it; more
 *	follow by their @next
 * @by_iface: for its namespace's inode number << 32 | an interface's
 *	number there: 1 + its number among @found's
 * @kuid: the owner that was asked for last
 * @uid: and its number in the opener's user namespace
 * @all: the sockets of all network namespaces are shown
 * @net: the last socket's namespace; if not @all, that of the file
 * @netns: its inode number
 * @nets: if @all, the namespaces that there were at first, each held
 * @by_netns: for a namespace's inode number, 1 + its number among @nets
 *
 * On the stack of open(). Nobody else knows it, or what was found so far.
 */
struct owner_collect {
	struct seq_file *seq;
	struct owner_found *found;
	struct owner_map by_inode;
	struct owner_map by_iface;
	kuid_t kuid;
	uid_t uid;
	bool all;
	struct net *net;
	u32 netns;
	struct owner_array nets;
	struct owner_map by_netns;
};

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

int owner_collect(struct owner_found *found, struct seq_file *seq,
		  const struct owner_kind *kind);
int owner_collect_held(struct owner_collect *collect,
		       const struct owner_kind *kind);
void owner_stop_collecting(void);
int owner_may_go_on(void);

int owner_hold_nets(struct owner_collect *collect);
void owner_put_nets(struct owner_collect *collect);
struct net *owner_net(const struct owner_collect *collect, u32 netns);
bool owner_enter_net(struct owner_collect *collect, const struct net *net);

int owner_collect_hashed(struct owner_collect *collect);
int owner_add_sock(struct owner_collect *collect, const struct owner_sock *sock);
int owner_map_socks(struct owner_collect *collect, u32 first);
void owner_copy_sock(const struct owner_collect *collect,
		     struct owner_sock *copy, const struct sock *sk,
		     enum owner_proto proto);

/* Whether the sockets of a namespace are shown; if so, the next one is of it. */
static inline bool owner_of_net(struct owner_collect *collect, const struct net *net)
{
	return likely(net_eq(net, collect->net)) || owner_enter_net(collect, net);
}

/* The number of an owner; the next row is likely of the same one. */
static inline uid_t owner_uid(struct owner_collect *collect, kuid_t kuid)
{
	if (!uid_eq(kuid, collect->kuid)) {
		collect->kuid = kuid;
		collect->uid = from_kuid_munged(seq_user_ns(collect->seq), kuid);
	}
	return collect->uid;
}

#endif /* KNETSTAT_OWNER_COLLECT_H */
