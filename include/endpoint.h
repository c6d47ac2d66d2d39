/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Endpoints: the two addresses of a socket, and their ports.
 */
#ifndef KNETSTAT_ENDPOINT_H
#define KNETSTAT_ENDPOINT_H

#include <linux/compiler.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <net/inet_sock.h>
#include <net/sock.h>

#include "field.h"

/**
 * struct endpoints - both ends of a socket
 * @laddr: its local address; of IPv4 the first four bytes
 * @raddr: its remote address
 * @lport: its local port, host byte order
 * @rport: its remote port, host byte order
 * @family: AF_INET or AF_INET6
 */
struct endpoints {
	struct in6_addr laddr;
	struct in6_addr raddr;
	u16 lport;
	u16 rport;
	u8 family;
};

/**
 * endpoints_copy_addresses() - copy a socket's family and addresses
 * @ends: where to; for IPv4 only the first four bytes of each address are set
 * @sk: a socket, TIME_WAIT or request socket; only its sock_common is read
 *
 * Context: Any. Without the socket's lock the copy may mix old and new values,
 * as in /proc/net/tcp.
 */
static __always_inline void endpoints_copy_addresses(struct endpoints *ends,
						     const struct sock *sk)
{
	/* Once: IPV6_ADDRFORM changes it. */
	ends->family = READ_ONCE(sk->sk_family);
#if IS_ENABLED(CONFIG_IPV6)
	if (ends->family == AF_INET6) {
		/* Data races while it connects or binds: see above. */
		data_race(ends->laddr = sk->sk_v6_rcv_saddr);
		/* And so is this. */
		data_race(ends->raddr = sk->sk_v6_daddr);
		return;
	}
#endif
	ends->laddr.s6_addr32[0] = READ_ONCE(sk->sk_rcv_saddr);
	ends->raddr.s6_addr32[0] = READ_ONCE(sk->sk_daddr);
}

/**
 * endpoints_copy() - copy a full socket's endpoints
 * @ends: where to
 * @sk: the socket
 *
 * Context: As endpoints_copy_addresses().
 */
static __always_inline void endpoints_copy(struct endpoints *ends,
					   const struct sock *sk)
{
	endpoints_copy_addresses(ends, sk);
	/* inet_num is 0 as soon as a socket is unhashed. */
	ends->lport = ntohs(READ_ONCE(inet_sk(sk)->inet_sport));
	ends->rport = ntohs(READ_ONCE(inet_sk(sk)->inet_dport));
}

/**
 * field_address() - write an address
 * @p: where to write
 * @ends: whose family it has
 * @addr: the address
 *
 * Return: the byte after the last character.
 */
static __always_inline char *field_address(char *p, const struct endpoints *ends,
					   const struct in6_addr *addr)
{
	if (ends->family == AF_INET6)
		return field_ipv6(p, addr);
	return field_ipv4(p, addr->s6_addr32[0]);
}

#endif /* KNETSTAT_ENDPOINT_H */
