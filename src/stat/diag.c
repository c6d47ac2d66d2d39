// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the Diag column. See diag.h.
 */
#include <linux/jiffies.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "diag.h"
#include "field.h"

/* Our side may still have data, or its FIN, to get across. */
#define MAY_SEND (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_CLOSE_WAIT |	\
		  TCPF_CLOSING | TCPF_LAST_ACK)
/* The peer may still send. */
#define MAY_RECEIVE (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2)

/*
 * By how much an ACK may seem to be newer than the reader's clock, in jiffies: it may
 * come while the reader is between one and the other, and not running.
 */
#define ACK_AHEAD (60 * HZ)

/* How long this side may take to close after the peer, in jiffies. */
#define CLOSE_WAIT_MAX (60 * HZ)

/*
 * Unsigned: an ACK may be months old. Just below 0 means after "now". So for a
 * minute when the age wraps (after 49 days at 1000 Hz) an old ACK is taken for new.
 */
static bool diag_ack_older(const struct diag *diag, u32 than)
{
	return diag->acked && diag->ack_age > than &&
	       diag->ack_age < (u32)-ACK_AHEAD;
}

/**
 * diag_marks() - the trouble a TCP socket is in
 * @diag: its numbers
 *
 * The kernel does not keep when the peer's FIN came. But its segment was an ACK,
 * and in CLOSE_WAIT nothing but later ACKs sets that time again: answers to data
 * or to keepalive probes of a peer that has closed one direction only. So the
 * FIN is at least as old as the last ACK, and DIAG_UNCLOSED is never false; with a
 * peer that still answers it comes a minute after the last answer.
 *
 * Return: a set of enum diag_mark.
 */
unsigned int diag_marks(const struct diag *diag)
{
	unsigned int state = 1U << diag->state;
	unsigned int marks = 0;

	if (state & TCPF_CLOSE)
		return 0;
	if (state & TCPF_LISTEN)
		return diag->ack_backlog > diag->max_ack_backlog ? DIAG_ACCEPT : 0;

	if (state & MAY_SEND) {
		if (!diag->snd_wnd)
			marks |= DIAG_SND_WND;
		if (after(diag->snd_nxt, diag->snd_una) &&
		    diag_ack_older(diag, HZ))
			marks |= DIAG_UNACKED;
	}
	if ((state & TCPF_CLOSE_WAIT) && diag_ack_older(diag, CLOSE_WAIT_MAX))
		marks |= DIAG_UNCLOSED;
	if ((state & MAY_RECEIVE) && !diag->rcv_wnd)
		marks |= DIAG_RCV_WND;
	if (diag->retransmits)
		marks |= DIAG_RETRANS;
	/*
	 * The kernel counts zero-window probes in the same place, but those
	 * have data behind them, and keepalive probes only run without.
	 */
	if (diag->probes_out && diag->keepalive &&
	    diag->write_seq == diag->snd_una)
		marks |= DIAG_KEEPALIVE;
	return marks;
}

/**
 * diag_write() - write the Diag column
 * @p: where to write
 * @marks: a set of enum diag_mark
 *
 * Return: the byte after the last character.
 */
char *diag_write(char *p, unsigned int marks)
{
	static const char text[][2] = {
		{ '>', '|' }, { '|', '<' }, { '>', '#' },
		{ '>', 'R' }, { 'K', '?' }, { '!', 'A' },
		{ 'C', '?' }, { '!', 'B' },
	};
	int i;

	if (!marks) {
		*p = '-';
		return p + 1;
	}
	if ((marks & DIAG_SND_WND) && (marks & DIAG_RCV_WND)) {
		p = field_str(p, ">|<,");
		marks &= ~(DIAG_SND_WND | DIAG_RCV_WND);
	}
	for (i = 0; i < ARRAY_SIZE(text); i++) {
		if (!(marks & 1U << i))
			continue;
		*p++ = text[i][0];
		*p++ = text[i][1];
		*p++ = ',';
	}
	return p - 1;
}
