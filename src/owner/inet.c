// SPDX-License-Identifier: GPL-2.0
/*
 * The internet sockets that processes hold: what is kept of those that are in no hash
 * table.
 */
#include <net/inet_sock.h>

#include "compat.h"
#include "inet.h"

static bool owner_inet_wanted(struct owner_collect *collect, const struct sock *sk)
{
	const sa_family_t family = READ_ONCE(sk->sk_family);

	if ((family != AF_INET && family != AF_INET6) ||
	    !owner_of_net(collect, sock_net(sk)))
		return false;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_MPTCP:
		/* A raw socket may be of any protocol. */
		return sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_DGRAM;
	default:
		return false;
	}
}

static void owner_inet_copy(struct owner_collect *collect, struct owner_seen *seen,
			    struct sock *sk)
{
	owner_copy_sock(collect, &seen->sock, sk,
			sk->sk_protocol == IPPROTO_UDP ? OWNER_UDP : OWNER_TCP);
}

static int owner_inet_add(struct owner_collect *collect,
			  const struct owner_seen *seen)
{
	return owner_add_sock(collect, &seen->sock);
}

/* Of sockowner. */
const struct owner_kind owner_inet_kind = {
	.wanted	= owner_inet_wanted,
	.copy	= owner_inet_copy,
	.add	= owner_inet_add,
};
