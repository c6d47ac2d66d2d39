// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of tcpstat and tcp6stat.
 *
 * Three kinds of object are in TCP's hash tables: sockets, and two small ones
 * that only begin like a socket (struct sock_common): the TIME_WAIT remains of
 * one, and the request that becomes one when the handshake is over. Nothing
 * but struct sock_common is read before it is known which one it is.
 */
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>
#include <net/tcp.h>

#include "compat.h"
#include "diag.h"
#include "row.h"
#include "sockopt.h"
#include "state.h"

/* The columns before UID, for what is not a full socket and has no trouble. */
static char *tcp_mini_begin(char *row, const struct sock *sk, bool v6,
			    u16 sport, u16 dport, int state)
{
	char *p = row_begin(row, v6, sk, 0, 0, sport, dport);

	p = field_str(state_write_tcp(p, state), "-");
	return row_drops(p, row, v6, 0);
}

/* Its Inode and Options: it has neither. */
static char *tcp_mini_end(char *p, char *row, bool v6)
{
	return field_str(row_inode(p, row, v6, 0), "-\n");
}

static char *tcp_row_timewait(char *row, const struct sock *sk, bool v6)
{
	const struct inet_timewait_sock *tw = inet_twsk(sk);
	char *p;

	p = tcp_mini_begin(row, sk, v6, ntohs(tw->tw_sport),
			   ntohs(tw->tw_dport), READ_ONCE(tw->tw_substate));
	/* 0 as in the kernel's own file: no owner, and not mapped. */
	p = field_right(p, row + ROW_INODE(v6), 0);
	return tcp_mini_end(p, row, v6);
}

static char *tcp_row_request(char *row, const struct sock *sk, bool v6,
			     struct row_reader *reader)
{
	const struct request_sock *req = inet_reqsk(sk);
	const struct inet_request_sock *ireq = inet_rsk(req);
	char *p;

	p = tcp_mini_begin(row, sk, v6, ireq->ir_num, ntohs(ireq->ir_rmt_port),
			   TCP_SYN_RECV);
	p = row_uid(p, reader, sk_uid(req->rsk_listener));
	return tcp_mini_end(p, row, v6);
}

static noinline unsigned int tcp_marks(const struct sock *sk, int state,
				       const struct row_reader *reader)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct diag diag = {
		.state		= state,
		.retransmits	= READ_ONCE(icsk->icsk_retransmits),
		.probes_out	= READ_ONCE(icsk->icsk_probes_out),
		.keepalive	= sock_flag(sk, SOCK_KEEPOPEN),
		.snd_wnd	= READ_ONCE(tp->snd_wnd),
		.rcv_wnd	= READ_ONCE(tp->rcv_wnd),
		.snd_una	= READ_ONCE(tp->snd_una),
		.snd_nxt	= READ_ONCE(tp->snd_nxt),
		.write_seq	= READ_ONCE(tp->write_seq),
		.ack_age	= reader->now - READ_ONCE(tp->rcv_tstamp),
		.ack_backlog	= READ_ONCE(sk->sk_ack_backlog),
		.max_ack_backlog = READ_ONCE(sk->sk_max_ack_backlog),
	};

	return diag_marks(&diag);
}

/*
 * Whether diag_marks() can't find anything on a socket that is not a listener.
 * That is so for most, and saves filling in a struct diag.
 */
static __always_inline bool tcp_healthy(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	return READ_ONCE(tp->snd_wnd) && READ_ONCE(tp->rcv_wnd) &&
	       READ_ONCE(tp->snd_nxt) == READ_ONCE(tp->snd_una) &&
	       !READ_ONCE(icsk->icsk_retransmits) &&
	       !READ_ONCE(icsk->icsk_probes_out);
}

static __always_inline char *tcp_row_sock(char *row, struct sock *sk, bool v6,
					  struct row_reader *reader)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	int state = inet_sk_state_load(sk);
	struct options *opts = &reader->opts;
	u32 recvq, sendq;
	char *p;

	if (unlikely(state == TCP_LISTEN)) {
		recvq = READ_ONCE(sk->sk_ack_backlog);
		sendq = READ_ONCE(sk->sk_max_ack_backlog);
	} else {
		/* Without the socket's lock it may be negative for a moment. */
		recvq = max_t(int, READ_ONCE(tp->rcv_nxt) -
				   READ_ONCE(tp->copied_seq), 0);
		sendq = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_una);
	}

	p = row_begin(row, v6, sk, recvq, sendq, ntohs(inet->inet_sport),
		      ntohs(inet->inet_dport));
	p = state_write_tcp(p, state);
	if (likely(state != TCP_LISTEN && tcp_healthy(sk)))
		p = field_str(p, "-");
	else
		p = diag_write(p, tcp_marks(sk, state, reader));
	p = row_drops(p, row, v6, sk_drops_read(sk));
	p = row_uid(p, reader, sk_uid(sk));
	p = row_inode(p, row, v6, sk_ino(sk));
	sockopt_tcp(opts, sk, reader);
	p = options_write_tcp(p, opts);
	*p++ = '\n';
	return p;
}

/**
 * tcp_row() - write a row of tcpstat or tcp6stat
 * @p: where to write; ROW_MAX bytes fit
 * @sk: what the iterator returned
 * @v6: it is an IPv6 socket
 * @reader: for whom
 *
 * Context: The hash bucket of @sk is locked; RCU read-side critical section.
 * Return: the byte after the row's newline.
 */
char *tcp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader)
{
	/* sk_state is in sock_common, and never changes for these two. */
	switch (sk->sk_state) {
	case TCP_TIME_WAIT:
		return tcp_row_timewait(p, sk, v6);
	case TCP_NEW_SYN_RECV:
		return tcp_row_request(p, sk, v6, reader);
	default:
		return v6 ? tcp_row_sock(p, sk, true, reader) :
			    tcp_row_sock(p, sk, false, reader);
	}
}
