/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only file that knows kernel versions.
 *
 * The module is written for the newest kernel; what older ones lack is defined
 * here, depending on a symbol where there is one, else on a probe of the
 * headers in Kbuild (KNETSTAT_HAVE_...).
 */
#ifndef KNETSTAT_COMPAT_H
#define KNETSTAT_COMPAT_H

#ifndef CONFIG_64BIT
#error "knetstat needs a 64-bit kernel"
#endif

#include <linux/cgroup.h>
#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/ipv6.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/seq_file_net.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/udp.h>

/* 6.11 and stable updates, "init: Add __uninitialized" */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized		__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

/* 5.17, "proc: remove PDE_DATA() completely" */
#ifndef KNETSTAT_HAVE_PDE_DATA
#define pde_data(inode)		PDE_DATA(inode)
#endif

/* 5.17, "net: add netns refcount tracker to struct seq_net_private" */
static inline void seq_net_hold(struct seq_net_private *p, struct net *net)
{
#ifdef CONFIG_NET_NS
	p->net = net;
#ifdef KNETSTAT_HAVE_SEQ_NS_TRACKER
	netns_tracker_alloc(net, &p->ns_tracker, GFP_KERNEL);
#endif
#endif
}

static inline void seq_net_put(struct seq_net_private *p)
{
#ifdef CONFIG_NET_NS
#ifdef KNETSTAT_HAVE_SEQ_NS_TRACKER
	put_net_track(p->net, &p->ns_tracker);
#else
	put_net(p->net);
#endif
#endif
}

/*
 * In 5.18 to 6.0 it is a pointer, "tcp: allocate tcp_death_row outside of struct
 * netns_ipv4"; its type tells.
 */
static inline struct inet_hashinfo *net_tcp_hashinfo(struct net *net)
{
	struct inet_timewait_death_row *row;

	row = __builtin_choose_expr(__same_type(net->ipv4.tcp_death_row, row),
				    net->ipv4.tcp_death_row,
				    &net->ipv4.tcp_death_row);
	return row->hashinfo;
}

/*
 * Where TCP's listeners are, up to the last bucket; then NULL. Before 5.19 they are in a
 * table of its own that is hashed by port only, "net: remove listening_hash". Not an
 * upstream name.
 */
static inline struct inet_listen_hashbucket *
tcp_listen_bucket(struct inet_hashinfo *hashinfo, unsigned int i)
{
#ifdef KNETSTAT_HAVE_LISTENING_HASH
	return i < INET_LHTABLE_SIZE ? &hashinfo->listening_hash[i] : NULL;
#else
	return i <= hashinfo->lhash2_mask ? &hashinfo->lhash2[i] : NULL;
#endif
}

/*
 * A namespace's UDP table. Before 6.2 all share one, which the proc file has; since
 * then each may have one ("udp: Set NULL to udp_seq_afinfo.udp_table.").
 */
static inline struct udp_table *udp_seq_table(struct seq_file *seq,
					      const struct net *net)
{
#ifdef KNETSTAT_HAVE_AFINFO_UDP_TABLE
	const struct udp_seq_afinfo *afinfo = pde_data(file_inode(seq->file));

	if (afinfo->udp_table)
		return afinfo->udp_table;
#endif
#ifdef KNETSTAT_HAVE_NET_UDP_TABLE
	return net->ipv4.udp_table;
#else
	return NULL;
#endif
}

/*
 * 6.17, "net: annotate races around sk->sk_uid": a socket's owner and inode can
 * be read from the sock. Before, they are read from its struct socket's inode.
 * sock_i_uid() and sock_i_ino() take sk_callback_lock for that, twice per row,
 * but RCU is enough: sockfs frees its inodes, together with the struct socket,
 * by RCU (5.2, "sockfs: switch to ->free_inode()").
 * The caller is in an RCU read-side critical section.
 */
#ifndef KNETSTAT_HAVE_SK_UID
static inline kuid_t sk_uid(const struct sock *sk)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	return sock ? SOCK_INODE(sock)->i_uid : GLOBAL_ROOT_UID;
}

static inline u64 sk_ino(const struct sock *sk)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	return sock ? SOCK_INODE(sock)->i_ino : 0;
}
#else
#define sk_ino(sk)	sock_i_ino(sk)
#endif

/* The id of a socket's cgroup (v2); 0 where the kernel keeps none. Not an upstream name. */
static inline u64 sk_cgroup_id(const struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	return cgroup_id(sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data));
#else
	return 0;
#endif
}

/* 6.18, "net: add sk->sk_drop_counters" and the helpers before it */
#ifndef KNETSTAT_HAVE_SK_DROPS_READ
static inline int sk_drops_read(const struct sock *sk)
{
	return atomic_read(&sk->sk_drops);
}
#endif

/*
 * Whether a datagram must fit into what a UDP socket's receive buffer has left, unless
 * that is empty; before, it was taken as long as the buffer was not over its limit.
 * 6.18, "udp: refine __udp_enqueue_schedule_skb() test", which the headers do not show:
 * they show udp_drops_inc(), which came with it. Not an upstream name.
 */
static inline bool udp_must_fit(void)
{
#ifdef KNETSTAT_HAVE_UDP_DROPS_INC
	return true;
#else
	return false;
#endif
}

/* 5.11, "net: Remove the err argument from sock_from_file" */
#ifndef KNETSTAT_HAVE_SOCK_FROM_FILE
static inline struct socket *compat_sock_from_file(struct file *file)
{
	int err;

	return sock_from_file(file, &err);
}

#define sock_from_file compat_sock_from_file
#endif

/*
 * Looks up a name in a directory, with the caller's right to do so, and without
 * crossing mounts. 6.16, "VFS: change lookup_one_common and lookup_noperm_common
 * to take a qstr", and renamed.
 */
static inline struct dentry *lookup_in_directory(struct dentry *dir,
						 const char *name)
{
#ifdef KNETSTAT_HAVE_LOOKUP_ONE_LEN
	return lookup_one_len_unlocked(name, dir, strlen(name));
#else
	struct qstr qstr = QSTR_INIT(name, strlen(name));

	return lookup_one_unlocked(&nop_mnt_idmap, &qstr, dir);
#endif
}

/* 6.6, "inet: introduce inet->inet_flags"; bitfields before */
#ifndef inet_test_bit
#define inet_test_bit(nr, sk)			(inet_sk(sk)->COMPAT_INET_##nr)
#define COMPAT_INET_RECVERR			recverr
#define COMPAT_INET_FREEBIND			freebind
#define COMPAT_INET_TRANSPARENT			transparent
#define COMPAT_INET_BIND_ADDRESS_NO_PORT	bind_address_no_port
#endif

/* 6.7, "ipv6: lockless IPV6_RECVERR implementation"; a bitfield before */
#ifndef inet6_test_bit
#define inet6_test_bit(nr, sk)			(inet6_sk(sk)->COMPAT_INET6_##nr)
#define COMPAT_INET6_RECVERR6			recverr
#endif

/* 6.7, "udp: introduce udp->udp_flags"; bitfields before */
#ifndef udp_test_bit
#define udp_test_bit(nr, sk)			(!!udp_sk(sk)->COMPAT_UDP_##nr)
#define COMPAT_UDP_CORK				corkflag
#define COMPAT_UDP_GRO_ENABLED			gro_enabled
#define COMPAT_UDP_NO_CHECK6_TX			no_check6_tx
#define COMPAT_UDP_NO_CHECK6_RX			no_check6_rx
#endif

#endif /* KNETSTAT_COMPAT_H */
