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
	char *p = row_begin(row, v6, v6, sk, 0, 0, sport, dport);

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

static noinline unsigned int tcp_marks(const struct sock *sk, int state)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ack = READ_ONCE(tp->rcv_tstamp);	/* before the clock */
	struct diag diag = {
		.state		= state,
		.retransmits	= READ_ONCE(icsk->icsk_retransmits),
		.probes_out	= READ_ONCE(icsk->icsk_probes_out),
		.keepalive	= sock_flag(sk, SOCK_KEEPOPEN),
		/*
		 * A child of TCP Fast Open is a socket before its SYN-ACK is
		 * answered, and in CLOSE_WAIT if a FIN came with the SYN.
		 */
		.acked		= !rcu_access_pointer(tp->fastopen_rsk),
		.snd_wnd	= READ_ONCE(tp->snd_wnd),
		.rcv_wnd	= READ_ONCE(tp->rcv_wnd),
		.snd_una	= READ_ONCE(tp->snd_una),
		.snd_nxt	= READ_ONCE(tp->snd_nxt),
		.write_seq	= READ_ONCE(tp->write_seq),
		.ack_age	= tcp_jiffies32 - ack,
		.ack_backlog	= READ_ONCE(sk->sk_ack_backlog),
		.max_ack_backlog = READ_ONCE(sk->sk_max_ack_backlog),
	};

	return diag_marks(&diag);
}

/*
 * Whether diag_marks() can't find anything. That is so for most sockets, and saves
 * filling in a struct diag.
 */
static __always_inline bool tcp_healthy(const struct sock *sk, int state)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	return !(1U << state & (TCPF_LISTEN | TCPF_CLOSE_WAIT)) &&
	       READ_ONCE(tp->snd_wnd) && READ_ONCE(tp->rcv_wnd) &&
	       READ_ONCE(tp->snd_nxt) == READ_ONCE(tp->snd_una) &&
	       !READ_ONCE(icsk->icsk_retransmits) &&
	       !READ_ONCE(icsk->icsk_probes_out);
}

/*
 * Nobody is kept from changing the socket meanwhile: @state and @marks are what was
 * seen of it at first, and are written so.
 */
static __always_inline char *tcp_row_sock(char *row, struct sock *sk, bool v6,
					  bool wide, int state,
					  unsigned int marks,
					  struct row_reader *reader)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
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

	p = row_begin(row, v6, wide, sk, recvq, sendq,
		      ntohs(READ_ONCE(inet->inet_sport)),
		      ntohs(READ_ONCE(inet->inet_dport)));
	p = row_diag(state_write_tcp(p, state), marks);
	p = row_drops(p, row, wide, sk_drops_read(sk));
	p = row_uid(p, reader, sk_uid(sk));
	p = row_inode(p, row, wide, sk_ino(sk));
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
	unsigned int marks;
	int state;

	/* sk_state is in sock_common, and never changes for these two. */
	switch (READ_ONCE(sk->sk_state)) {
	case TCP_TIME_WAIT:
		return tcp_row_timewait(p, sk, v6);
	case TCP_NEW_SYN_RECV:
		return tcp_row_request(p, sk, v6, reader);
	default:
		state = inet_sk_state_load(sk);
		marks = likely(tcp_healthy(sk, state)) ? 0 : tcp_marks(sk, state);
		return v6 ? tcp_row_sock(p, sk, true, true, state, marks, reader) :
			    tcp_row_sock(p, sk, false, false, state, marks, reader);
	}
}

/**
 * tcp_suspect() - look whether tcp_trouble() may have something to write
 * @sk: what the iterator returned
 *
 * Context: The hash bucket of @sk is locked.
 * Return: whether it may; no for all but the few that look unwell.
 */
bool tcp_suspect(const struct sock *sk)
{
	int state = inet_sk_state_load(sk);

	return !(1U << state & (TCPF_TIME_WAIT | TCPF_NEW_SYN_RECV)) &&
	       !tcp_healthy(sk, state);
}

/**
 * tcp_trouble() - write a row of socktrouble, if there is a mark on it
 * @p: where to write; ROW_MAX bytes fit
 * @sk: a socket that tcp_suspect() has found
 * @v6: it is an IPv6 socket
 * @reader: for whom
 *
 * Context: As tcp_row().
 * Return: the byte after the row's newline; @p if there is no mark.
 */
char *tcp_trouble(char *p, struct sock *sk, bool v6, struct row_reader *reader)
{
	int state = inet_sk_state_load(sk);
	unsigned int marks = tcp_marks(sk, state);

	return marks ? tcp_row_sock(p, sk, v6, true, state, marks, reader) : p;
}
