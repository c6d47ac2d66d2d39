/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who uses a session.
 */
#ifndef KNETSTAT_LIFE_USE_H
#define KNETSTAT_LIFE_USE_H

#include <linux/tcp.h>

/**
 * use_bytes_read() - how much a socket's program has read
 * @sk: the socket
 *
 * All that came in order, less what is in the queue; the peer's FIN counts.
 *
 * Context: The socket is locked, or nobody else knows it.
 * Return: bytes.
 */
static inline u64 use_bytes_read(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->bytes_received - (u32)(tp->rcv_nxt - tp->copied_seq);
}

void use_init(void);
void use_exit(void);

#endif /* KNETSTAT_LIFE_USE_H */
