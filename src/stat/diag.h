/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Diag column: is this TCP socket in trouble?
 *
 * The rules work on plain numbers, so KUnit can reach every case of them.
 */
#ifndef KNETSTAT_STAT_DIAG_H
#define KNETSTAT_STAT_DIAG_H

#include <linux/types.h>

/**
 * struct diag - what the marks of a TCP socket are told from
 * @state: TCP_ESTABLISHED and so on
 * @retransmits: retransmission timeouts since the last new ACK
 * @probes_out: probes that nothing has answered
 * @keepalive: SO_KEEPALIVE is on
 * @snd_wnd: the window that the peer advertised, bytes
 * @rcv_wnd: the window that we advertised, bytes
 * @snd_una: first sequence number that is not acknowledged
 * @snd_nxt: next sequence number to send
 * @write_seq: sequence number after the last byte queued to send
 * @ack_age: jiffies since the last ACK; a little below 0, as a u32, when it
 *	came after the reader had looked at its clock, on another CPU
 * @ack_backlog: of a listener, the connections waiting to be accepted
 * @max_ack_backlog: of a listener, the most that may wait
 */
struct diag {
	u8 state;
	u8 retransmits;
	u8 probes_out;
	bool keepalive;
	u32 snd_wnd, rcv_wnd;
	u32 snd_una, snd_nxt, write_seq;
	u32 ack_age;
	u32 ack_backlog, max_ack_backlog;
};

/* A bit for each mark, in the order of the column. */
enum diag_mark {
	DIAG_SND_WND	= 1 << 0,	/* >| */
	DIAG_RCV_WND	= 1 << 1,	/* |< */
	DIAG_UNACKED	= 1 << 2,	/* ># */
	DIAG_RETRANS	= 1 << 3,	/* >R */
	DIAG_KEEPALIVE	= 1 << 4,	/* K? */
	DIAG_ACCEPT	= 1 << 5,	/* !A */
};

/* The most bytes of the column: two for each mark. */
#define DIAG_MAX	(2 * 6)

unsigned int diag_marks(const struct diag *diag);
char *diag_write(char *p, unsigned int marks);

#endif /* KNETSTAT_STAT_DIAG_H */
