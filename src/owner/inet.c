// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets that sockowner shows, as processes hold them: what is kept of those that
 * are in none of the hash tables that it looks through.
 */
#include <linux/if_packet.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <net/inet_sock.h>

#include "compat.h"
#include "inet.h"

/* The kind of an internet socket, of IPv4; OWNER_PROTOS if it is not shown. */
static enum owner_proto owner_inet_proto(const struct sock *sk)
{
	/* May be of any protocol. */
	if (sk->sk_type == SOCK_RAW)
		return OWNER_RAW;
	if (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_DGRAM)
		return OWNER_PROTOS;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return OWNER_TCP;
	case IPPROTO_UDP:
		return OWNER_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return OWNER_ICMP;
	default:
		return OWNER_PROTOS;
	}
}

static bool owner_inet_wanted(struct owner_collect *collect, const struct sock *sk)
{
	switch (READ_ONCE(sk->sk_family)) {
	case AF_INET:
	case AF_INET6:
		if (owner_inet_proto(sk) == OWNER_PROTOS)
			return false;
		fallthrough;
	case AF_PACKET:
		return owner_of_net(collect, sock_net(sk));
	default:
		return false;
	}
}

/* What a packet socket hears only its own code knows, which takes no lock for that. */
static void owner_packet_copy(struct owner_collect *collect, struct owner_sock *copy,
			      struct sock *sk)
{
	union {
		struct sockaddr_ll ll;
		struct sockaddr_storage storage;
	} name;

	copy->ends = (struct endpoints){ .family = AF_PACKET };
	copy->proto = OWNER_PACKET;
	copy->state = READ_ONCE(sk->sk_state);
	copy->cgroup = sk_cgroup_id(sk);
	copy->netns = collect->netns;
	copy->iface = 0;
	if (kernel_getsockname(sk->sk_socket, (struct sockaddr *)&name) < 0)
		return;
	copy->ends.lport = ntohs(name.ll.sll_protocol);
	/* -1 if it has gone. */
	copy->iface = max(name.ll.sll_ifindex, 0);
}

static void owner_inet_copy(struct owner_collect *collect, struct owner_seen *seen,
			    struct sock *sk)
{
	if (READ_ONCE(sk->sk_family) == AF_PACKET)
		owner_packet_copy(collect, &seen->sock, sk);
	else
		owner_copy_sock(collect, &seen->sock, sk, owner_inet_proto(sk));
}

static int owner_inet_add(struct owner_collect *collect,
			  const struct owner_seen *seen)
{
	return owner_add_sock(collect, &seen->sock);
}

/* Of sockowner. */
const struct owner_kind owner_inet_kind = {
	.all_nets = true,
	.hashed	= owner_collect_hashed,
	.wanted	= owner_inet_wanted,
	.copy	= owner_inet_copy,
	.add	= owner_inet_add,
};
