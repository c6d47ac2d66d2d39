/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Diag column: is this socket in trouble?
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
 * @acked: an ACK has come: without one @ack_age means nothing
 * @snd_wnd: the window that the peer advertised, bytes
 * @rcv_wnd: the window that we advertised, bytes
 * @snd_una: first sequence number that is not acknowledged
 * @snd_nxt: next sequence number to send
 * @write_seq: sequence number after the last byte queued to send
 * @ack_age: jiffies since the last ACK; a little below 0, as a u32, when it
 *	seems to have come after the reader's look at the clock
 * @ack_backlog: of a listener, the connections waiting to be accepted
 * @max_ack_backlog: of a listener, the most that may wait
 */
struct diag {
	u8 state;
	u8 retransmits;
	u8 probes_out;
	bool keepalive, acked;
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
	DIAG_UNCLOSED	= 1 << 6,	/* C? */
	DIAG_BUFFER	= 1 << 7,	/* !B */
};

/* The most bytes of the column: two for each mark, and the commas. */
#define DIAG_MAX	(3 * 8 - 1)

/**
 * diag_marks_udp() - the trouble a UDP socket is in
 * @rmem: what its receive buffer holds, in the kernel's account of memory
 * @rcvbuf: the most that it should hold
 * @next: what the next datagram must find room for; 0 if the kernel takes one of
 *	any size as long as @rmem is not more than @rcvbuf
 *
 * Return: a set of enum diag_mark.
 */
static inline unsigned int diag_marks_udp(u32 rmem, u32 rcvbuf, u32 next)
{
	return (u64)rmem + next > rcvbuf ? DIAG_BUFFER : 0;
}

unsigned int diag_marks(const struct diag *diag);
char *diag_write(char *p, unsigned int marks);

#endif /* KNETSTAT_STAT_DIAG_H */
