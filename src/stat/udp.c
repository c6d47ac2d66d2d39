// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of udpstat and udp6stat.
 */
#include <net/udp.h>

#include "compat.h"
#include "row.h"
#include "sockopt.h"
#include "state.h"

/*
 * Mirrors what decides on the next datagram: __udp_enqueue_schedule_skb(). Where that
 * asks how large it is, it is taken to be what those that wait are on the average. (From
 * 6.12 to 6.17 it must fit into a buffer of 1 GiB or more only, which has no mark.)
 */
static noinline unsigned int udp_marks_filled(const struct sock *sk, u32 rmem,
					      u32 rcvbuf)
{
	const struct udp_sock *up = udp_sk(sk);
	u32 waiting, held, next = 0;

	if (udp_must_fit()) {
		waiting = skb_queue_len_lockless(&sk->sk_receive_queue) +
			  skb_queue_len_lockless(&up->reader_queue);
		/* What has been read is given back in bulk. */
		held = max_t(int, rmem - READ_ONCE(up->forward_deficit), 0);
		if (waiting)
			next = held / waiting;
	}
	return diag_marks_udp(rmem, rcvbuf, next);
}

static __always_inline unsigned int udp_marks(const struct sock *sk)
{
	u32 rmem = sk_rmem_alloc_get(sk), rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	/* Half full: one more like all that is there fits. */
	if (likely(rmem <= rcvbuf / 2))
		return 0;
	return udp_marks_filled(sk, rmem, rcvbuf);
}

static __always_inline char *udp_row_sock(char *row, struct sock *sk, bool v6,
					  bool wide, unsigned int marks,
					  struct row_reader *reader)
{
	const struct inet_sock *inet = inet_sk(sk);
	/* What was read is given back in bulk: it may be negative for a moment. */
	u32 recvq = max(udp_rqueue_get(sk), 0);
	struct options *opts = &reader->opts;
	char *p;

	p = row_begin(row, v6, wide, sk, recvq, sk_wmem_alloc_get(sk),
		      ntohs(READ_ONCE(inet->inet_sport)),
		      ntohs(READ_ONCE(inet->inet_dport)));
	p = state_write_udp(p, READ_ONCE(sk->sk_state));
	p = row_diag(p, marks);
	p = row_drops(p, row, wide, sk_drops_read(sk));
	p = row_uid(p, reader, sk_uid(sk));
	p = row_inode(p, row, wide, sk_ino(sk));
	sockopt_udp(opts, sk, reader);
	p = options_write_udp(p, opts);
	*p++ = '\n';
	return p;
}

/**
 * udp_row() - write a row of udpstat or udp6stat
 * @p: where to write; ROW_MAX bytes fit
 * @sk: the socket
 * @v6: it is an IPv6 socket
 * @reader: for whom
 *
 * Context: The hash bucket of @sk is locked; RCU read-side critical section.
 * Return: the byte after the row's newline.
 */
char *udp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader)
{
	unsigned int marks = udp_marks(sk);

	return v6 ? udp_row_sock(p, sk, true, true, marks, reader) :
		    udp_row_sock(p, sk, false, false, marks, reader);
}

/**
 * udp_suspect() - look whether udp_trouble() may have something to write
 * @sk: the socket
 *
 * Context: The hash bucket of @sk is locked.
 * Return: whether it may.
 */
bool udp_suspect(const struct sock *sk)
{
	return udp_marks(sk);
}

/**
 * udp_trouble() - write a row of socktrouble, if there is a mark on it
 * @p: where to write; ROW_MAX bytes fit
 * @sk: a socket that udp_suspect() has found
 * @v6: it is an IPv6 socket
 * @reader: for whom
 *
 * Context: As udp_row().
 * Return: the byte after the row's newline; @p if there is no mark.
 */
char *udp_trouble(char *p, struct sock *sk, bool v6, struct row_reader *reader)
{
	unsigned int marks = udp_marks(sk);

	return marks ? udp_row_sock(p, sk, v6, true, marks, reader) : p;
}
