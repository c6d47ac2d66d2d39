// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and listeners that are older than the module: at load they are entered
 * into the table, with the process that holds them; then the sessions that no
 * process holds: not accepted yet, closed with something still to do, the kernel's
 * own. How old they are stays unknown.
 *
 * The probes are at work already, so what begins now is theirs. A socket is found
 * through a descriptor, under the locks that walk.h names, or in TCP's hash table,
 * under RCU; held by a reference, and entered when those locks are dropped, under
 * its own.
 */
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/rculist_nulls.h>
#include <linux/slab.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "compat.h"
#include "knetstat.h"
#include "older.h"
#include "probe.h"
#include "record.h"
#include "task.h"
#include "walk.h"

/* Sockets that are entered at once. */
#define OLDER_PIECE	256

/*
 * How often, in all, it is waited for a jiffy for a task that has a socket locked.
 * Some can for as long as they like: by sending what they do not let be read.
 */
#define OLDER_WAITS	64

/**
 * struct older_walk - the walk through all processes, and then the hash tables
 * @leader: the process that is looked at, or NULL
 * @waits: how often there may be a wait still
 * @count: how many sockets were found
 * @socks: they, each held by a reference
 */
struct older_walk {
	struct task_struct *leader;
	unsigned int waits;
	unsigned int count;
	struct sock *socks[OLDER_PIECE];
};

/*
 * Whether somebody is known to hold it: a table of descriptors may have a thousand
 * sharers, and not for each of them every socket need be locked.
 */
static bool older_is_known(const struct sock *sk)
{
	const struct session *session = session_find(&life_sessions, sk);

	/* A data race if it is being changed: only a hint. */
	return session && data_race((u8)session->by) >= LIFE_BY_HOLD;
}

/* Takes the TCP sockets of a table; see walk_files(). */
static bool older_look(void *arg, unsigned int fd, struct file *file)
{
	struct older_walk *walk = arg;
	const struct socket *sock = sock_from_file(file);
	struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;
	int family = sk ? READ_ONCE(sk->sk_family) : AF_UNSPEC;

	if ((family != AF_INET && family != AF_INET6) ||
	    sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM ||
	    READ_ONCE(sk->sk_state) == TCP_CLOSE || older_is_known(sk))
		return true;
	if (walk->count == OLDER_PIECE)
		return false;
	/* The file has one, and we have the file. */
	sock_hold(sk);
	walk->socks[walk->count++] = sk;
	return true;
}

/* Enters a socket, unless a task has it locked: what that does the probes see. */
static bool older_enter(const struct older_walk *walk, struct sock *sk)
{
	bool owned;

	local_bh_disable();
	bh_lock_sock(sk);
	owned = sock_owned_by_user(sk);
	if (!owned)
		probe_older(sk, walk->leader);
	bh_unlock_sock(sk);
	local_bh_enable();
	return !owned;
}

/* Returns whether any of them is in the table now that was not. */
static bool older_enter_all(struct older_walk *walk)
{
	bool entered = false;
	unsigned int i;

	for (i = 0; i < walk->count; i++) {
		struct sock *sk = walk->socks[i];

		while (!older_enter(walk, sk) && walk->waits) {
			walk->waits--;
			schedule_timeout_uninterruptible(1);
		}
		entered |= !!session_find(&life_sessions, sk);
		sock_put(sk);
		cond_resched();
	}
	walk->count = 0;
	return entered;
}

static void older_table(struct older_walk *walk, struct task_struct *task)
{
	struct walk_place place = {};
	int more;

	do {
		more = walk_files(task, &place, older_look, walk);
		older_enter_all(walk);
	} while (more > 0);
}

/* Of the leader, and of threads that have a table of their own. */
static void older_process(struct older_walk *walk, struct task_struct *leader)
{
	/* It must come to an end though threads are made and end meanwhile. */
	unsigned int steps = 2 * get_nr_threads(leader) + 16;
	struct task_struct *thread = leader;

	walk->leader = leader;
	older_table(walk, leader);
	get_task_struct(leader);
	while ((thread = walk_thread(leader, thread)) && steps--) {
		cond_resched();
		/* Only compared: a look at a table that has gone does no harm. */
		if (READ_ONCE(thread->files) != READ_ONCE(leader->files))
			older_table(walk, thread);
	}
	if (thread)
		put_task_struct(thread);
}

/* Takes those of a bucket's sessions that are not in the table. */
static void older_look_in(struct older_walk *walk,
			  const struct hlist_nulls_head *head)
{
	const struct hlist_nulls_node *node;
	struct sock *sk;

	rcu_read_lock();
	/*
	 * A socket may end meanwhile and begin again elsewhere, and take us with
	 * it to another bucket; that is too rare to matter: it is young now.
	 */
	sk_nulls_for_each_rcu(sk, node, head) {
		if (walk->count == OLDER_PIECE)
			break;
		if (sk_fullsock(sk) && sk->sk_protocol == IPPROTO_TCP &&
		    !session_find(&life_sessions, sk) &&
		    refcount_inc_not_zero(&sk->sk_refcnt))
			walk->socks[walk->count++] = sk;
	}
	rcu_read_unlock();
}

static void older_hashed(struct older_walk *walk,
			 const struct inet_hashinfo *hashinfo)
{
	unsigned int i;
	bool full;

	for (i = 0; i <= hashinfo->ehash_mask; i++) {
		/* With a million sockets there are a dozen in each. */
		if (!(i % 128))
			cond_resched();
		if (hlist_nulls_empty(&hashinfo->ehash[i].chain))
			continue;
		/* Again while it has more, and there is room for them. */
		do {
			older_look_in(walk, &hashinfo->ehash[i].chain);
			full = walk->count == OLDER_PIECE;
		} while (full && older_enter_all(walk));
	}
	older_enter_all(walk);
}

/* The walk, while older_net_init() is called for each namespace. */
static struct older_walk *older_walk __initdata;

static int __init older_net_init(struct net *net)
{
	const struct inet_hashinfo *hashinfo = net_tcp_hashinfo(net);

	/* Most namespaces share the table of the first one. */
	if (net_eq(net, &init_net) || hashinfo != net_tcp_hashinfo(&init_net))
		older_hashed(older_walk, hashinfo);
	return 0;
}

static void __init older_unheld(struct older_walk *walk)
{
	struct pernet_operations ops = { .init = older_net_init };

	older_walk = walk;
	walk->leader = NULL;
	/* That goes through all namespaces, and keeps them. */
	if (!register_pernet_subsys(&ops))
		unregister_pernet_subsys(&ops);
}

/**
 * older_init() - enter the sockets that there are
 *
 * Where there is no memory for it, less is known of them.
 *
 * Context: Process context, at load, when the probes are at work.
 */
void __init older_init(void)
{
	struct older_walk *walk = kmalloc(sizeof(*walk), GFP_KERNEL);
	struct task_struct *leader;
	int nr;

	if (!walk)
		return;
	walk->count = 0;
	walk->waits = OLDER_WAITS;
	for (nr = 1; (leader = walk_process(&init_pid_ns, &nr)); nr++) {
		older_process(walk, leader);
		put_task_struct(leader);
		cond_resched();
	}
	older_unheld(walk);
	kfree(walk);
}
