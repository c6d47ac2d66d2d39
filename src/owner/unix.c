// SPDX-License-Identifier: GPL-2.0
/*
 * The Unix sockets: those of the kernel's table, which are all, and what is kept of one
 * that came to be after that was read.
 *
 * What of a Unix socket is read how:
 *
 *	addr		is set once, published by a release, and stays as long as the
 *			socket
 *	peer		under the socket's state lock, which holds the reference that the
 *			socket has of its peer. A task may have that lock and want its
 *			task_lock (an LSM that logs what it denies). So it is not taken
 *			under the locks of walk.h, only under the table's, which comes
 *			before it, or under none
 *	all else	as of any socket
 *
 * A socket that the walk over descriptors meets and does not know is held by a reference
 * of its struct sock until the locks are dropped. That keeps no descriptor from being
 * closed, nor does the garbage collector of sockets in flight, which counts references of
 * files, see it.
 */
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "iter_unix.h"
#include "unix.h"

/* As many sockets as are copied at once. */
#define OWNER_UNIX_BATCH	512

/**
 * struct owner_unix_copy - a socket as it was copied
 * @sock: all but its name
 * @length: the length of its name, as in struct owner_path
 * @name: its name
 */
struct owner_unix_copy {
	struct owner_sock sock;
	u8 length;
	char name[UNIX_PATH_MAX];
};

static unsigned int owner_unix_copy_name(char *name, const struct sock *sk)
{
	const struct unix_address *addr;
	unsigned int n;

	/* The address before what it is made of: unix_bind()'s release; unix-name.litmus. */
	addr = smp_load_acquire(&unix_sk((struct sock *)sk)->addr);
	if (!addr)
		return 0;
	/* A path is followed by a NUL; that of one of the full length is one too many. */
	n = min_t(unsigned int, addr->len - offsetof(struct sockaddr_un, sun_path),
		  UNIX_PATH_MAX);
	memcpy(name, addr->name->sun_path, n);
	return name[0] ? strnlen(name, n) : n;
}

/*
 * Copies a socket but for its owner and inode.
 *
 * Context: In an RCU read-side critical section; the socket is held, or its table locked.
 * Takes its state lock.
 */
static void owner_unix_copy(struct owner_unix_copy *copy, struct sock *sk)
{
	const struct sock *peer;

	copy->sock.state = READ_ONCE(sk->sk_state);
	copy->sock.un.type = READ_ONCE(sk->sk_type);
	copy->sock.cgroup = sk_cgroup_id(sk);
	copy->sock.iface = 0;
	copy->sock.held = OWNER_HELD_UNKNOWN;
	copy->length = owner_unix_copy_name(copy->name, sk);
	unix_state_lock(sk);
	peer = unix_sk(sk)->peer;
	copy->sock.un.peer = peer ? sk_ino(peer) : 0;
	unix_state_unlock(sk);
}

/* Copies a row of the kernel's table; see iter_unix_batch(). */
static char *owner_unix_copy_hashed(char *p, struct sock *sk, void *arg)
{
	struct owner_unix_copy *copy = (struct owner_unix_copy *)p;

	/* What connect() has made for the other side is none before it has a type. */
	if (!READ_ONCE(sk->sk_type))
		return p;
	owner_unix_copy(copy, sk);
	copy->sock.uid = owner_uid(arg, sk_uid(sk));
	copy->sock.inode = sk_ino(sk);
	return (char *)(copy + 1);
}

static int owner_unix_add_copy(struct owner_collect *collect,
			       struct owner_unix_copy *copy)
{
	int err;

	err = owner_path_add(&collect->found->paths, &copy->sock.un.path, copy->name,
			     copy->length);
	return err ?: owner_add_sock(collect, &copy->sock);
}

static int owner_unix_hashed(struct owner_collect *collect)
{
	const size_t size = OWNER_UNIX_BATCH * sizeof(struct owner_unix_copy);
	struct owner_memory *memory = &collect->found->memory;
	struct owner_unix_copy *batch, *copy;
	loff_t place = 0;
	bool done = false;
	int err;

	batch = owner_alloc(memory, size, 0, &err);
	if (!batch)
		return err;
	err = 0;
	while (!err && !done) {
		char *p = (char *)batch;

		done = iter_unix_batch(collect->seq, &place, &p,
				       (char *)&batch[OWNER_UNIX_BATCH - 1],
				       owner_unix_copy_hashed, collect);
		for (copy = batch; !err && (char *)copy < p; copy++)
			err = owner_unix_add_copy(collect, copy);
		err = err ?: owner_may_go_on();
	}
	owner_free(memory, batch, size);
	return err;
}

static bool owner_unix_wanted(struct owner_collect *collect, const struct sock *sk)
{
	return sk->sk_family == AF_UNIX && owner_of_net(collect, sock_net(sk));
}

static void owner_unix_hold(struct owner_collect *collect, struct owner_seen *seen,
			    struct sock *sk)
{
	sock_hold(sk);
	seen->sk = sk;
}

static void owner_unix_put(struct owner_seen *seen)
{
	sock_put(seen->sk);
}

static int owner_unix_add(struct owner_collect *collect, const struct owner_seen *seen)
{
	struct owner_unix_copy copy;

	copy.sock = seen->sock;
	rcu_read_lock();
	owner_unix_copy(&copy, seen->sk);
	rcu_read_unlock();
	return owner_unix_add_copy(collect, &copy);
}

/* Of unixowner. */
const struct owner_kind owner_unix_kind = {
	.hashed	= owner_unix_hashed,
	.wanted	= owner_unix_wanted,
	.copy	= owner_unix_hold,
	.add	= owner_unix_add,
	.put	= owner_unix_put,
};
