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

/* A reader doesn't go on for longer without another look at its clock, in jiffies. */
#define ACK_AHEAD (60 * HZ)

/* Unsigned: an ACK may be months old. Just below 0 means after "now". */
static bool diag_ack_is_old(u32 age)
{
	return age > HZ && age < (u32)-ACK_AHEAD;
}

/**
 * diag_marks() - the trouble a TCP socket is in
 * @diag: its numbers
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
		    diag_ack_is_old(diag->ack_age))
			marks |= DIAG_UNACKED;
	}
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
