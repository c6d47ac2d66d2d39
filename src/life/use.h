/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who uses a session.
 */
#ifndef KNETSTAT_LIFE_USE_H
#define KNETSTAT_LIFE_USE_H

#include <linux/hash.h>
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

/**
 * use_mark() - how much has been read, in few bits
 * @read: what use_bytes_read() returns
 *
 * Programs read in pieces of 64 KiB, and large segments let them have each in one
 * copy: so the low bits will not do. Of other lengths of a piece, one in 65536
 * leaves the mark as it was.
 *
 * Context: Any.
 * Return: a number that is another one when more has been read.
 */
static inline u16 use_mark(u64 read)
{
	return hash_32(read, 16);
}

void use_init(void);
void use_exit(void);

#endif /* KNETSTAT_LIFE_USE_H */
