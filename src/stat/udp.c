// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of udpstat and udp6stat.
 */
#include <net/udp.h>

#include "compat.h"
#include "row.h"
#include "sockopt.h"
#include "state.h"

static __always_inline char *udp_row_sock(char *row, struct sock *sk, bool v6,
					  struct row_reader *reader)
{
	const struct inet_sock *inet = inet_sk(sk);
	/* What was read is given back in bulk: it may be negative for a moment. */
	u32 recvq = max(udp_rqueue_get(sk), 0);
	struct options *opts = &reader->opts;
	char *p;

	p = row_begin(row, v6, sk, recvq, sk_wmem_alloc_get(sk),
		      ntohs(inet->inet_sport), ntohs(inet->inet_dport));
	p = state_write_udp(p, READ_ONCE(sk->sk_state));
	/* No mark of Diag is for UDP. */
	p = field_str(p, "-");
	p = row_drops(p, row, v6, sk_drops_read(sk));
	p = row_uid(p, reader, sk_uid(sk));
	p = row_inode(p, row, v6, sk_ino(sk));
	sockopt_udp(opts, sk, reader);
	p = options_write_udp(p, opts);
	*p++ = '\n';
	return p;
}

/**
 * udp_row() - write a row of udpstat or udp6stat
 * @p: where to write; ROW_MAX bytes fit
 * @sk: the socket
 * @v6: it is an IPv6 socket
 * @reader: for whom
 *
 * Context: The hash bucket of @sk is locked; RCU read-side critical section.
 * Return: the byte after the row's newline.
 */
char *udp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader)
{
	return v6 ? udp_row_sock(p, sk, true, reader) :
		    udp_row_sock(p, sk, false, reader);
}
