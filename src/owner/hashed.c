// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets in the kernel's hash tables.
 *
 * A bucket's lock is held only by iter_batch(), and only to copy.
 */
#include <linux/fs.h>
#include <linux/net.h>
#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/request_sock.h>
#include <net/tcp_states.h>

#include "collect.h"
#include "compat.h"
#include "iter.h"

/* As many sockets as are copied at once. */
#define OWNER_BATCH	512

/* What owner_copy_hashed() is told. */
struct owner_hashed {
	struct owner_collect *collect;
	enum owner_proto proto;
};

/* An IPv6 socket that is bound to no address and not connected takes IPv4, too. */
static bool owner_takes_both(const struct owner_sock *copy, const struct sock *sk)
{
	/* A data race with setsockopt(): it has one of two values. */
	return !data_race((bool)sk->sk_ipv6only) &&
	       (copy->state == TCP_LISTEN || copy->state == TCP_CLOSE) &&
	       ipv6_addr_any(&copy->ends.laddr) && ipv6_addr_any(&copy->ends.raddr);
}

/**
 * owner_copy_sock() - copy what a full socket tells of itself
 * @collect: what is known
 * @copy: where to; but for its inode number, its owner, and how it is held
 * @sk: the socket
 * @proto: its kind
 *
 * Context: Any, in an RCU read-side critical section.
 */
void owner_copy_sock(const struct owner_collect *collect,
		     struct owner_sock *copy, const struct sock *sk,
		     enum owner_proto proto)
{
	endpoints_copy(&copy->ends, sk);
	copy->state = inet_sk_state_load(sk);
	copy->cgroup = sk_cgroup_id(sk);
	copy->netns = collect->netns;
	copy->iface = READ_ONCE(sk->sk_bound_dev_if);
	if (copy->ends.family == AF_INET6)
		proto += proto < OWNER_RAW && owner_takes_both(copy, sk) ?
			 OWNER_IPV46 : OWNER_IPV6;
	copy->proto = proto;
}

/*
 * How a full socket is held, if not by a process that is shown. Its struct socket
 * goes with its inode, which sockfs frees by RCU, and so does a file; this runs under
 * that.
 *
 * The kernel's own have no file, as a rule; those of NFS have, but no descriptor.
 * Servers such as nfsd also take sockets over that a program has made: what shows it
 * is that they leave a pointer in the socket. So do BPF's maps, but theirs is marked.
 */
static enum owner_held owner_held_by(const struct sock *sk)
{
	const struct socket *socket = READ_ONCE(sk->sk_socket);
	unsigned long user_data = (unsigned long)READ_ONCE(sk->sk_user_data);
	struct file *file;

	if (!socket)
		return sock_flag(sk, SOCK_DEAD) ? OWNER_HELD_ORPHAN :
						  OWNER_HELD_QUEUE;
	/* The paths of MPTCP are the kernel's, but for a process that holds it. */
	if (sk->sk_protocol == IPPROTO_TCP && sk_is_mptcp(sk))
		return OWNER_HELD_UNKNOWN;
	file = READ_ONCE(socket->file);
	/* In a close() that waits until all has been sent: SO_LINGER. */
	if (file && !file_count(file))
		return OWNER_HELD_ORPHAN;
	if (!file || sk->sk_kern_sock ||
	    (user_data && !(user_data & ~SK_USER_DATA_PTRMASK)))
		return OWNER_HELD_KERNEL;
	return OWNER_HELD_UNKNOWN;
}

/* A TIME_WAIT entry or request socket has no more than this. */
static void owner_copy_mini(const struct owner_hashed *hashed,
			    struct owner_sock *copy, const struct sock *sk)
{
	endpoints_copy_addresses(&copy->ends, sk);
	copy->proto = hashed->proto;
	if (copy->ends.family == AF_INET6)
		copy->proto += OWNER_IPV6;
	copy->netns = hashed->collect->netns;
	copy->iface = sk->sk_bound_dev_if;
	copy->inode = 0;
	copy->cgroup = 0;
}

/* Copies a row of the hash tables; see iter_batch(). */
static char *owner_copy_hashed(char *p, struct sock *sk, void *arg)
{
	struct owner_sock *copy = (struct owner_sock *)p;
	struct owner_hashed *hashed = arg;

	if (!owner_of_net(hashed->collect, sock_net(sk)))
		return p;
	switch (hashed->proto == OWNER_TCP ? READ_ONCE(sk->sk_state) : 0) {
	case TCP_TIME_WAIT:
		owner_copy_mini(hashed, copy, sk);
		copy->ends.lport = ntohs(inet_twsk(sk)->tw_sport);
		copy->ends.rport = ntohs(inet_twsk(sk)->tw_dport);
		copy->state = READ_ONCE(inet_twsk(sk)->tw_substate);
		/* The peer has not closed yet: kept as TIME_WAIT is, to save memory. */
		copy->held = copy->state == TCP_FIN_WAIT2 ? OWNER_HELD_ORPHAN :
							    OWNER_HELD_TW;
		/* As in /proc/net/tcp: 0, whatever root's number is here. */
		copy->uid = 0;
		break;
	case TCP_NEW_SYN_RECV:
		owner_copy_mini(hashed, copy, sk);
		copy->ends.lport = inet_rsk(inet_reqsk(sk))->ir_num;
		copy->ends.rport = ntohs(inet_rsk(inet_reqsk(sk))->ir_rmt_port);
		copy->state = TCP_SYN_RECV;
		copy->held = OWNER_HELD_SYN;
		copy->uid = owner_uid(hashed->collect,
				      sk_uid(inet_reqsk(sk)->rsk_listener));
		break;
	default:
		owner_copy_sock(hashed->collect, copy, sk, hashed->proto);
		copy->held = owner_held_by(sk);
		copy->uid = owner_uid(hashed->collect, sk_uid(sk));
		copy->inode = sk_ino(sk);
	}
	return (char *)(copy + 1);
}

/* Adds the sockets of a protocol's table, from a place on. */
static int owner_collect_table(struct owner_collect *collect,
			       struct owner_sock *batch, enum iter_proto proto,
			       struct iter_place place)
{
	struct owner_hashed hashed = {
		.collect = collect,
		.proto = proto == ITER_UDP ? OWNER_UDP : OWNER_TCP,
	};
	const struct owner_sock *sock;
	bool done;
	int err;

	do {
		char *p = (char *)batch;

		done = iter_batch(collect->seq, proto, &place, &p,
				  (char *)&batch[OWNER_BATCH - 1],
				  owner_copy_hashed, &hashed);
		for (sock = batch; (char *)sock < p; sock++) {
			err = owner_add_sock(collect, sock);
			if (err)
				return err;
		}
		err = owner_may_go_on();
		if (err)
			return err;
	} while (!done);
	return 0;
}

/* Adds what is in a namespace's own tables, if it has any. */
static int owner_collect_net(struct owner_collect *collect,
			     struct owner_sock *batch, struct net *net)
{
	struct iter *iter = collect->seq->private;
	struct iter_place place;
	enum iter_proto proto;
	int err = 0;

	iter->all = net;
	for (proto = 0; !err && proto < ITER_PROTOS; proto++)
		if (iter_all_begin(collect->seq, proto, net, &place))
			err = owner_collect_table(collect, batch, proto, place);
	iter->all = NULL;
	return err;
}

/* Adds what is in the tables that namespaces share. */
static int owner_collect_tables(struct owner_collect *collect,
				struct owner_sock *batch)
{
	enum iter_proto proto;
	int err = 0;

	for (proto = 0; !err && proto < ITER_PROTOS; proto++)
		err = owner_collect_table(collect, batch, proto, (struct iter_place){});
	return err;
}

/* Of all namespaces: what is in the first one's tables, and then in their own. */
static int owner_collect_nets(struct owner_collect *collect,
			      struct owner_sock *batch)
{
	struct iter *iter = collect->seq->private;
	unsigned long i;
	int err;

	iter->all = &init_net;
	err = owner_collect_tables(collect, batch);
	iter->all = NULL;
	for (i = 0; !err && i < collect->nets.count; i++) {
		err = owner_collect_net(collect, batch,
					*owner_array_at(&collect->nets,
							struct net *, i));
		cond_resched();
	}
	return err;
}

/**
 * owner_collect_hashed() - add all sockets of the hash tables
 * @collect: what is known
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_collect_hashed(struct owner_collect *collect)
{
	const size_t size = OWNER_BATCH * sizeof(struct owner_sock);
	struct owner_memory *memory = &collect->found->memory;
	struct owner_sock *batch;
	int err;

	batch = owner_alloc(memory, size, 0, &err);
	if (!batch)
		return err;
	err = collect->all ? owner_collect_nets(collect, batch) :
			     owner_collect_tables(collect, batch);
	owner_free(memory, batch, size);
	return err;
}
