// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and listeners that are older than the module: at load they are entered
 * into the table, with the process that holds them. How old they are stays
 * unknown.
 *
 * The probes are at work already, so what begins now is theirs. A socket is found
 * through a descriptor, under the locks that walk.h names, held by a reference,
 * and entered when those locks are dropped, under its own.
 */
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
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

/**
 * struct older_walk - the walk through all processes
 * @leader: the process that is looked at
 * @count: how many sockets were found
 * @socks: they, each held by a reference
 */
struct older_walk {
	struct task_struct *leader;
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
	struct sock *sk = sock ? sock->sk : NULL;

	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM ||
	    (sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    sk->sk_state == TCP_CLOSE || older_is_known(sk))
		return true;
	if (walk->count == OLDER_PIECE)
		return false;
	/* The file has one, and we have the file. */
	sock_hold(sk);
	walk->socks[walk->count++] = sk;
	return true;
}

static void older_enter_all(struct older_walk *walk)
{
	unsigned int i;

	for (i = 0; i < walk->count; i++) {
		struct sock *sk = walk->socks[i];

		lock_sock(sk);
		probe_older(sk, walk->leader);
		release_sock(sk);
		sock_put(sk);
		cond_resched();
	}
	walk->count = 0;
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
	for (nr = 1; (leader = walk_process(&init_pid_ns, &nr)); nr++) {
		older_process(walk, leader);
		put_task_struct(leader);
		cond_resched();
	}
	kfree(walk);
}
