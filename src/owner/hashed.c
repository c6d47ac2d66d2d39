// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets in the kernel's hash tables.
 *
 * A bucket's lock is held only by iter_batch(), and only to copy.
 */
#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>
#include <net/tcp_states.h>

#include "collect.h"
#include "compat.h"
#include "iter.h"

/* As many sockets as are copied at once. */
#define OWNER_BATCH	1024

/* What owner_copy_hashed() is told. */
struct owner_hashed {
	struct owner_collect *collect;
	bool udp;
};

/**
 * owner_copy_sock() - copy a full socket's endpoints and state
 * @copy: where to
 * @sk: the socket
 *
 * Context: Any.
 */
void owner_copy_sock(struct owner_sock *copy, const struct sock *sk)
{
	endpoints_copy(&copy->ends, sk);
	copy->state = inet_sk_state_load(sk);
}

/* Copies a row of the hash tables; see iter_batch(). */
static char *owner_copy_hashed(char *p, struct sock *sk, void *arg)
{
	struct owner_sock *copy = (struct owner_sock *)p;
	struct owner_hashed *hashed = arg;

	copy->udp = hashed->udp;
	copy->inode = 0;
	switch (copy->udp ? 0 : sk->sk_state) {
	case TCP_TIME_WAIT:
		endpoints_copy_addresses(&copy->ends, sk);
		copy->ends.lport = ntohs(inet_twsk(sk)->tw_sport);
		copy->ends.rport = ntohs(inet_twsk(sk)->tw_dport);
		copy->state = READ_ONCE(inet_twsk(sk)->tw_substate);
		/* As in /proc/net/tcp: 0, whatever root's number is here. */
		copy->uid = 0;
		break;
	case TCP_NEW_SYN_RECV:
		endpoints_copy_addresses(&copy->ends, sk);
		copy->ends.lport = inet_rsk(inet_reqsk(sk))->ir_num;
		copy->ends.rport = ntohs(inet_rsk(inet_reqsk(sk))->ir_rmt_port);
		copy->state = TCP_SYN_RECV;
		copy->uid = owner_uid(hashed->collect,
				      sk_uid(inet_reqsk(sk)->rsk_listener));
		break;
	default:
		owner_copy_sock(copy, sk);
		copy->uid = owner_uid(hashed->collect, sk_uid(sk));
		copy->inode = sk_ino(sk);
	}
	return (char *)(copy + 1);
}

static int owner_collect_proto(struct owner_collect *collect,
			       struct owner_sock *batch, enum iter_proto proto)
{
	struct owner_hashed hashed = {
		.collect = collect, .udp = proto == ITER_UDP,
	};
	struct iter_place place = {};
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
	err = owner_collect_proto(collect, batch, ITER_TCP);
	if (!err)
		err = owner_collect_proto(collect, batch, ITER_UDP);
	owner_free(memory, batch, size);
	return err;
}
