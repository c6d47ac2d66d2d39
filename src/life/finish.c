// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a session. See finish.h.
 */
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <net/inet_sock.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include "compat.h"
#include "endpoint.h"
#include "finish.h"
#include "paths.h"
#include "record.h"
#include "task.h"

/**
 * life_close_fill_bytes() - as much of it as life_tx() and life_rx() look at
 * @close: where to
 * @sk: the socket
 * @state: the state that it leaves, or is in
 *
 * Context: Any. If the socket is not locked, it is of no one moment; so what others may
 * be writing is marked, here and in life_row_fill().
 */
void life_close_fill_bytes(struct life_close *close, const struct sock *sk,
			   int state)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	close->state = state;
	close->fin_received = sock_flag(sk, SOCK_DONE);
	close->snd_una = READ_ONCE(tp->snd_una);
	close->snd_nxt = READ_ONCE(tp->snd_nxt);
	close->write_seq = READ_ONCE(tp->write_seq);
	close->bytes_acked = READ_ONCE(tp->bytes_acked);
	close->bytes_received = READ_ONCE(tp->bytes_received);
	close->bytes_sent = READ_ONCE(tp->bytes_sent);
	close->bytes_retrans = READ_ONCE(tp->bytes_retrans);
}

/**
 * life_close_fill() - what a socket goes to CLOSE with
 * @close: where to
 * @sk: the socket
 * @session: what is known of it, or NULL
 * @state: the state that it leaves
 *
 * Context: The socket is locked, or nobody else knows it.
 */
void life_close_fill(struct life_close *close, const struct sock *sk,
		     const struct session *session, int state)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	life_close_fill_bytes(close, sk, state);
	close->err = READ_ONCE(sk->sk_err);
	close->local = in_task();
	close->acts = !in_interrupt();
	close->segs_in = tp->segs_in;
	close->segs_after = 0;
	close->data_after = 0;
	close->received_after = 0;
	/* What tcp_done() shuts down comes later: this is the program's doing. */
	if (session && (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)) {
		close->segs_after = tp->segs_in - session->segs;
		close->data_after = tp->data_segs_in - session->data_segs;
		close->received_after = tp->bytes_received - session->received;
	}
	close->dead = sock_flag(sk, SOCK_DEAD);
	close->repair = tp->repair;
	close->abort_linger = READ_ONCE(tp->linger2) < 0;
	close->retransmits = icsk->icsk_retransmits || icsk->icsk_probes_out;
}

/* A path of an MPTCP connection is whose that is. */
static noinline void life_fill_path(struct life_row *row, const struct sock *sk)
{
	struct life_task task;
	enum life_by by = paths_user(sk, &task);

	if (by > row->by) {
		row->by = by;
		row->task = task;
	}
}

/**
 * life_row_fill() - what there is to say of a session
 * @row: where to; but for its numbers, when it was, and how it ended
 * @sk: the socket
 * @session: what is known of it, or NULL
 * @close: what life_close_fill_bytes() found, at least
 * @now_us: microseconds of ktime_get()
 *
 * Context: As life_close_fill_bytes().
 */
void life_row_fill(struct life_row *row, const struct sock *sk,
		   const struct session *session,
		   const struct life_close *close, u64 now_us)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 srtt_us = READ_ONCE(tp->srtt_us);

	row->life_us = LIFE_UNKNOWN_US;
	row->conn_us = LIFE_UNKNOWN_US;
	row->role = LIFE_ROLE_NONE;
	row->by = LIFE_BY_NONE;
	if (likely(session)) {
		row->role = session->role;
		row->by = session->by;
		row->task = session->task;
		if (session->start_us)
			row->life_us = now_us - session->start_us;
		if (session->established) {
			row->life_us -= session->conn_us;
			if (session->role == LIFE_ROLE_CONN)
				row->conn_us = session->conn_us;
		}
	}
	if (unlikely(sk_is_mptcp(sk)) && row->by < LIFE_BY_CONNECT)
		life_fill_path(row, sk);
	endpoints_copy(&row->ends, sk);
	/* A reader may have the socket for longer than there is its namespace. */
	row->netns = session ? session->netns : sock_net(sk)->ns.inum;
	row->uid = READ_ONCE(sk->sk_uid);
	row->cgroup = sk_cgroup_id(sk);
	/* With TCP_REPAIR there was no SYN to be acknowledged. */
	row->tx = life_tx(close, session && session->repaired ?
				 LIFE_ROLE_ACPT : row->role);
	row->rx = life_rx(close);
	row->srtt_us = srtt_us ? srtt_us >> 3 : LIFE_UNKNOWN_US;
	row->retx = READ_ONCE(tp->total_retrans);
}

/**
 * life_finish() - write the row of a session that ends
 * @sk: the socket, on its way to CLOSE
 * @session: what is known of it, or NULL
 * @close: what life_close_fill() found
 *
 * Context: The socket is locked, or nobody else knows it; any but NMI.
 */
void life_finish(const struct sock *sk, const struct session *session,
		 const struct life_close *close)
{
	struct view *view = view_of(sock_net(sk));
	ktime_t now = ktime_get();
	/* All of it is filled in, but for a process that is not known. */
	struct life_row row __uninitialized;

	life_row_fill(&row, sk, session, close, ktime_to_us(now));
	row.view_id = view->id;
	row.time_us = ktime_to_us(ktime_mono_to_real(now));
	row.end = life_end(close);
	/*
	 * Its owner aborts it, or gives up connecting. A packet that had to wait
	 * for whoever has the socket locked leaves an error, or finds a socket
	 * that nobody holds any more. And who closes a listener is not the owner
	 * of what is in its queue, which has no struct socket yet.
	 */
	if (row.by < LIFE_BY_CLOSE && life_owner_acts() && !close->err &&
	    sk->sk_socket &&
	    (row.end == LIFE_END_ABORT || close->state == TCP_SYN_SENT)) {
		life_task_fill(&row.task);
		row.by = LIFE_BY_CLOSE;
	}
	record_row(view, &row);
}
