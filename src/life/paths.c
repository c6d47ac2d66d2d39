// SPDX-License-Identifier: GPL-2.0
/*
 * Whose the paths of an MPTCP connection are.
 *
 * A path is a TCP session, but no process ever acts on it: it acts on the
 * connection, and the kernel's own worker ends the paths, later. So who accepts
 * and who closes a connection is remembered, until its paths end.
 *
 * A path that is still part of its connection leads to it. One that is not can be
 * told by its addresses, which for the first path are the connection's. Who made
 * more paths than one has those named by what is known of them alone.
 *
 * What is remembered is in a table of fixed size that forgets: what comes to a
 * place that is taken takes it. So nothing needs to be given back, whatever
 * becomes of a connection.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <net/mptcp.h>
#include <net/tcp_states.h>

#include "endpoint.h"
#include "paths.h"
#include "task.h"

/**
 * struct path_user - who uses a connection
 * @key: which one: paths_key() or paths_key_of_ends(); 0 is none
 * @by: enum life_by
 * @task: the process
 *
 * Made at load, freed at exit when no probe is left. In between all is under
 * paths_lock, which is raw and taken with interrupts off, as the ring's is, and
 * held for the copy of one.
 */
struct path_user {
	u64 key;
	u32 by;
	struct life_task task;
};

static struct path_user *paths_users __ro_after_init;
static unsigned int paths_bits __ro_after_init;
static DEFINE_RAW_SPINLOCK(paths_lock);

/* A connection as such. */
static u64 paths_key(const struct sock *msk)
{
	return (unsigned long)msk;
}

/* A connection by what its first path has as well. No address is odd. */
static u64 paths_key_of_ends(const struct sock *sk)
{
	struct endpoints ends = {};
	unsigned int i;
	u64 key;

	endpoints_copy(&ends, sk);
	key = (u64)sock_net(sk)->ns.inum << 32 | (u32)ends.lport << 16 | ends.rport;
	for (i = 0; i < 4; i++) {
		key = (key ^ (__force u32)ends.laddr.s6_addr32[i]) * GOLDEN_RATIO_64;
		key = (key ^ (__force u32)ends.raddr.s6_addr32[i]) * GOLDEN_RATIO_64;
		key ^= key >> 32;
	}
	return key | 1;
}

static struct path_user *paths_place(u64 key)
{
	return &paths_users[hash_64(key, paths_bits)];
}

static void paths_remember(const struct path_user *user)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&paths_lock, flags);
	*paths_place(user->key) = *user;
	raw_spin_unlock_irqrestore(&paths_lock, flags);
}

static bool paths_recall(u64 key, struct path_user *user)
{
	unsigned long flags;
	bool found;

	raw_spin_lock_irqsave(&paths_lock, flags);
	*user = *paths_place(key);
	found = user->key == key;
	raw_spin_unlock_irqrestore(&paths_lock, flags);
	return found;
}

/**
 * paths_init() - make the table
 * @sessions: live sessions that are tracked, a power of two
 *
 * Context: Process context, at load.
 * Return: 0, or -ENOMEM.
 */
int __init paths_init(unsigned int sessions)
{
	unsigned int users = max(sessions / 16, 16U);

	if (!IS_ENABLED(CONFIG_MPTCP))
		return 0;
	paths_bits = ilog2(users);
	paths_users = __vmalloc(array_size(users, sizeof(*paths_users)),
				GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				__GFP_RETRY_MAYFAIL);
	return paths_users ? 0 : -ENOMEM;
}

/**
 * paths_exit() - free the table
 *
 * Context: Process context, when no probe is left.
 */
void paths_exit(void)
{
	vfree(paths_users);
}

/**
 * paths_accept() - a process accepts a connection
 * @msk: the connection
 *
 * Context: As life_task_fill().
 */
void paths_accept(const struct sock *msk)
{
	struct path_user user = { .key = paths_key(msk), .by = LIFE_BY_ACCEPT };

	if (!paths_users)
		return;
	life_task_fill(&user.task);
	paths_remember(&user);
}

/**
 * paths_set_state() - a connection goes from one state to another
 * @msk: the connection
 * @state: the new one
 *
 * When it is closed it lets go of its paths, which go on for a while.
 *
 * Context: As the probe.
 */
void paths_set_state(const struct sock *msk, int state)
{
	struct path_user user = {};

	if (!paths_users || (state != TCP_FIN_WAIT1 && state != TCP_LAST_ACK &&
			     state != TCP_CLOSE))
		return;
	if (life_owner_acts()) {
		user.by = LIFE_BY_CLOSE;
		life_task_fill(&user.task);
	} else if (!paths_recall(paths_key(msk), &user)) {
		return;
	}
	user.key = paths_key_of_ends(msk);
	paths_remember(&user);
}

/**
 * paths_user() - whose a path is
 * @ssk: the path, which ends
 * @task: set to the process, if it is known
 *
 * Context: As the probe; of a reader, which needs no lock, any.
 * Return: how it is known; LIFE_BY_NONE if it is not, or @ssk is no path.
 */
enum life_by paths_user(const struct sock *ssk, struct life_task *task)
{
	const struct socket *sock;
	const struct sock *msk;
	struct path_user user;

	if (!paths_users || !sk_is_mptcp(ssk))
		return LIFE_BY_NONE;
	/* sockfs leaves a struct socket to RCU: see sk_ino(). */
	rcu_read_lock();
	sock = READ_ONCE(ssk->sk_socket);
	msk = sock ? READ_ONCE(sock->sk) : NULL;
	rcu_read_unlock();
	if (!(msk && msk != ssk && paths_recall(paths_key(msk), &user)) &&
	    !paths_recall(paths_key_of_ends(ssk), &user))
		return LIFE_BY_NONE;
	*task = user.task;
	return user.by;
}
