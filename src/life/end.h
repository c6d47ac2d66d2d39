/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules that turn what a TCP socket went through into a row of tcplife.
 *
 * They work on plain numbers, so KUnit can reach every case of them.
 */
#ifndef KNETSTAT_LIFE_END_H
#define KNETSTAT_LIFE_END_H

#include <linux/types.h>

#include "row.h"

/**
 * struct life_close - a TCP socket at the moment that it goes to CLOSE
 * @state: the state that it leaves
 * @err: its sk_err
 * @local: a task is at work on it, or on top of it
 * @acts: the same, with bottom halves on: neither a packet nor a timer does it,
 *	unless the packet had to wait for a task that has the socket
 * @dead: no process holds the socket any more (SOCK_DEAD)
 * @fin_received: the peer's FIN has come (SOCK_DONE)
 * @abort_linger: TCP_LINGER2 is negative: no waiting for the peer's FIN
 * @retransmits: a retransmission or a probe is unanswered
 * @repair: it is in TCP_REPAIR mode: it ends and sends nothing
 * @segs_in: segments that came, whatever they were
 * @segs_after: segments that came after our FIN was queued, or after close() if
 *	that was later; like the next two, 0 unless the socket is shut down for
 *	reading
 * @data_after: those of them that had data
 * @received_after: bytes of those that were taken
 * @snd_una: first sequence number that is not acknowledged
 * @snd_nxt: next sequence number to send
 * @write_seq: sequence number after the last byte queued to send
 * @bytes_acked: as tcp_sock has it: with our SYN and FIN
 * @bytes_received: as tcp_sock has it: with the peer's FIN
 * @bytes_sent: payload bytes sent, again ones as well
 * @bytes_retrans: payload bytes sent again
 */
struct life_close {
	u8 state;
	int err;
	bool local;
	bool acts;
	bool dead;
	bool fin_received;
	bool abort_linger;
	bool retransmits;
	bool repair;
	u32 segs_in;
	u16 segs_after, data_after;
	u32 received_after;
	u32 snd_una, snd_nxt, write_seq;
	u64 bytes_acked;
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_retrans;
};

enum life_end life_end(const struct life_close *close);
u64 life_tx(const struct life_close *close, enum life_role role);
u64 life_rx(const struct life_close *close);

#endif /* KNETSTAT_LIFE_END_H */
