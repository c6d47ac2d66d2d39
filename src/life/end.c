// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that turn what a TCP socket went through into a row of tcplife.
 */
#include <linux/errno.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "end.h"

/*
 * Whether data that nobody was going to read ended it.
 *
 * Such data makes the kernel reset the session: (1) through tcp_reset(), like a
 * reset from the peer, or (2) without an error, if the same segment
 * acknowledged our FIN. The only sign is data that came and was not taken. But
 * a late copy of old data is not taken either, and harmless. In (2) the data
 * acknowledged the FIN, so it was the last segment; after old data a bare ACK
 * or RST comes. If only some of several segments had data, the last one is not
 * known: then it is taken to have ended in order, which is far more frequent.
 * In (1) old data and then a reset from the peer look the same, and so do data
 * that came during close() and then a reset.
 */
static bool life_unread_data(const struct life_close *close)
{
	if (!close->data_after || close->received_after || close->fin_received)
		return false;
	return close->err == ECONNRESET ||
	       (!close->err && close->data_after == close->segs_after);
}

/**
 * life_end() - how a session ended
 * @close: the socket on its way to CLOSE
 *
 * sk_err alone does not tell: a local end has not set it yet, and an ICMP error
 * that nobody fetched is left in it long after (with IP_RECVERR).
 *
 * A socket that was closed in FIN_WAIT2 leaves before the peer's FIN has come:
 * from then on a TIME_WAIT entry waits for it, and no more data can flow. For
 * this side the session has ended, and in order.
 *
 * Return: how.
 */
enum life_end life_end(const struct life_close *close)
{
	bool all_acked = close->snd_una == close->write_seq;

	if (close->repair)
		return LIFE_END_NONE;
	/* tcp_abort(): ss -K, or a protocol that is switched off. */
	if (close->err == ECONNABORTED)
		return LIFE_END_ABORT;

	switch (close->state) {
	case TCP_SYN_SENT:
		/*
		 * A reset is ECONNREFUSED here, and so is an ICMP error that
		 * says that nobody is at that port, but that is no segment.
		 * ECONNRESET is from before.
		 */
		if (close->err == ECONNREFUSED && close->segs_in)
			return LIFE_END_REFUSED;
		if (close->err == ETIMEDOUT)
			return LIFE_END_TIMEOUT;
		if (close->err && close->err != ECONNRESET && !close->acts)
			return LIFE_END_UNREACH;
		/* The owner may be awake and fetch it first: see below. */
		if (!close->err && !close->dead && !close->local)
			return close->retransmits ? LIFE_END_TIMEOUT :
						    LIFE_END_UNREACH;
		/* Given up by its owner: nobody's reset. */
		return LIFE_END_NONE;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		if (life_unread_data(close))
			return LIFE_END_ABORT;
		break;
	default:
		break;
	}

	/* tcp_reset() makes it EPIPE when the peer had said FIN before. */
	if (close->err == ECONNRESET ||
	    (close->err == EPIPE && close->state == TCP_CLOSE_WAIT))
		return LIFE_END_RESET;

	switch (close->state) {
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		if (all_acked)
			return LIFE_END_FIN;
		break;
	case TCP_FIN_WAIT2:
		if (close->fin_received ||
		    (close->dead && !close->abort_linger))
			return LIFE_END_FIN;
		break;
	default:
		break;
	}
	/*
	 * A soft error (EHOSTUNREACH) may replace ETIMEDOUT; but if the task
	 * itself ends it, the error is an old one that nobody fetched. And 5.10
	 * wakes the owner first, who may fetch the error before it is seen
	 * here; but if no task ends a socket that is in use and has no error,
	 * only a timer can have done it.
	 */
	if (close->err == ETIMEDOUT)
		return LIFE_END_TIMEOUT;
	if (close->retransmits && ((close->err && !close->acts) ||
				   (!close->dead && !close->local)))
		return LIFE_END_TIMEOUT;
	return LIFE_END_ABORT;
}

/**
 * life_tx() - payload bytes that the peer acknowledged
 * @close: the socket on its way to CLOSE
 * @role: which side it was on
 *
 * tcp_sock's bytes_acked is sequence numbers: it counts our FIN and, of a
 * socket that connected, our SYN (one that was accepted began after it).
 * Of a socket older than the module it is not known whether it connected. Then
 * what was sent tells: all payload but what is in flight has been acknowledged.
 *
 * Return: bytes.
 */
u64 life_tx(const struct life_close *close, enum life_role role)
{
	bool fin_sent = close->state == TCP_FIN_WAIT1 ||
			close->state == TCP_FIN_WAIT2 ||
			close->state == TCP_CLOSING ||
			close->state == TCP_LAST_ACK;
	bool fin_acked = fin_sent && close->snd_una == close->write_seq;
	u32 in_flight = close->snd_nxt - close->snd_una;
	u64 tx = close->bytes_acked;

	if (fin_acked && tx)
		tx--;
	switch (role) {
	case LIFE_ROLE_CONN:
		return tx ? tx - 1 : 0;
	case LIFE_ROLE_ACPT:
		return tx;
	default:
		break;
	}
	/* A FIN in flight is the last number, and no payload. */
	if (fin_sent && in_flight && close->snd_nxt == close->write_seq)
		in_flight--;
	if (tx && close->bytes_sent - close->bytes_retrans - in_flight == tx - 1)
		tx--;
	return tx;
}

/**
 * life_rx() - payload bytes received
 * @close: the socket on its way to CLOSE
 *
 * tcp_sock's bytes_received counts the peer's FIN.
 *
 * Return: bytes.
 */
u64 life_rx(const struct life_close *close)
{
	return close->bytes_received -
	       (close->fin_received && close->bytes_received);
}
