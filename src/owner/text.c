// SPDX-License-Identifier: GPL-2.0
/*
 * How a row of sockowner is written. See text.h.
 */
#include <linux/build_bug.h>
#include <linux/if_ether.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/ipv6.h>

#include "field.h"
#include "state.h"
#include "text.h"

/* Where the columns begin. */
enum {
	OWNER_PROTO	= OWNER_FRONT_END,
	OWNER_STAT	= OWNER_PROTO + 7,
	OWNER_LOCAL	= OWNER_STAT + STATE_WIDTH,
	OWNER_FOREIGN	= OWNER_LOCAL + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_HELD	= OWNER_FOREIGN + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_CGROUP	= OWNER_HELD + 7,
	OWNER_NETNS	= OWNER_CGROUP + 9,
	OWNER_INODE	= OWNER_NETNS + 11,
	OWNER_END	= OWNER_INODE + 9,
};

#define OWNER_REST "PROTO  STAT LOCAL                 FOREIGN               HELD     CGROUP      NETNS    INODE\n"
#define OWNER_HEADER OWNER_FRONT_HEADER OWNER_REST

/* The first line. */
const char owner_header[] = OWNER_HEADER;

static_assert(sizeof(owner_header) == OWNER_END + 1);

/* The interface that a socket is bound to. */
static noinline char *owner_iface_write(const struct owner_writer *writer, char *p,
					const struct owner_sock *sock)
{
	const struct owner_iface *iface =
		owner_array_at(&writer->found->ifaces, struct owner_iface,
			       sock->iface - 1);

	return field_text(p, iface->name, sizeof(iface->name), 0);
}

/* Both ends of a packet socket: what it hears of which interface, from anywhere. */
static noinline char *owner_packet_write(const struct owner_writer *writer, char *p,
					 char *begin, const struct owner_sock *sock)
{
	if (sock->ends.lport == ETH_P_ALL)
		*p++ = '*';
	else
		p = field_u64(p, sock->ends.lport);
	*p++ = ':';
	if (sock->iface)
		p = owner_iface_write(writer, p, sock);
	else
		*p++ = '*';
	p = field_str(field_pad(p, begin + OWNER_FOREIGN), "*:*");
	return field_pad(p, begin + OWNER_HELD);
}

/* One end; @scoped: with the interface. */
static __always_inline char *
owner_end_write(const struct owner_writer *writer, char *p, char *column,
		const struct owner_sock *sock, const struct in6_addr *addr, u16 port,
		bool scoped)
{
	p = field_address(p, &sock->ends, addr);
	if (unlikely(scoped)) {
		*p++ = '%';
		p = owner_iface_write(writer, p, sock);
	}
	return field_pad(field_port(p, port), column);
}

static __always_inline char *owner_ends_write(const struct owner_writer *writer, char *p,
					      char *begin, const struct owner_sock *sock)
{
	const struct endpoints *ends = &sock->ends;

	p = owner_end_write(writer, p, begin + OWNER_FOREIGN, sock, &ends->laddr,
			    ends->lport, sock->iface);
	/* The peer's address says no more unless it is one of that link's. */
	return owner_end_write(writer, p, begin + OWNER_HELD, sock, &ends->raddr,
			       ends->rport, sock->iface && ends->family == AF_INET6 &&
			       (ipv6_addr_type(&ends->raddr) & IPV6_ADDR_LINKLOCAL));
}

/* Of a process that shares its descriptors there is no more to say. */
static char *owner_sharer_write(struct owner_front *front, char *p,
				const struct owner_process *process)
{
	char *begin = p;

	p = field_str(owner_front_write_sharer(front, p, process), "-");
	p = field_str(field_pad(p, begin + OWNER_STAT), "-");
	p = field_str(field_pad(p, begin + OWNER_LOCAL), "-");
	p = field_str(field_pad(p, begin + OWNER_FOREIGN), "-");
	p = field_str(field_pad(p, begin + OWNER_HELD), "-");
	p = field_str(field_pad(p, begin + OWNER_NETNS - 2), "-");
	p = field_str(field_pad(p, begin + OWNER_INODE - 2), "-");
	return field_str(field_pad(p, begin + OWNER_END - 2), "-\n");
}

/* CGROUP and NETNS. */
static char *owner_scope_write(struct owner_writer *writer, char *p,
			       const struct owner_sock *sock)
{
	char *begin = p;

	p = owner_number_write(p, sock->cgroup);
	p = field_right(p, p + OWNER_INODE - OWNER_NETNS, sock->netns);
	writer->cgroup = sock->cgroup;
	writer->netns = sock->netns;
	writer->scope_length = p - begin;
	/* With what is behind: it is of a round size to copy. */
	memcpy(writer->scope, begin, sizeof(writer->scope));
	return p;
}

/**
 * owner_row_write() - write a row as a line
 * @writer: what was written before
 * @p: where to; room for OWNER_ROW_MAX
 * @row: the row; the line must stay there for the next call
 *
 * Context: Any.
 * Return: where the line ends.
 */
char *owner_row_write(struct owner_writer *writer, char *p,
		      const struct owner_row *row)
{
	/* Of a round size to copy, too. */
	static const char protos[OWNER_PROTOS][8] = {
		[OWNER_TCP]			= "tcp4   ",
		[OWNER_TCP + OWNER_IPV6]	= "tcp6   ",
		[OWNER_TCP + OWNER_IPV46]	= "tcp46  ",
		[OWNER_UDP]			= "udp4   ",
		[OWNER_UDP + OWNER_IPV6]	= "udp6   ",
		[OWNER_UDP + OWNER_IPV46]	= "udp46  ",
		[OWNER_RAW]			= "raw4   ",
		[OWNER_RAW + OWNER_IPV6]	= "raw6   ",
		[OWNER_ICMP]			= "icmp4  ",
		[OWNER_ICMP + OWNER_IPV6]	= "icmp6  ",
		[OWNER_PACKET]			= "packet ",
	};
	static const char helds[OWNER_HELDS][8] = {
		[OWNER_HELD_UNKNOWN]	= "-      ",
		[OWNER_HELD_QUEUE]	= "queue  ",
		[OWNER_HELD_SYN]	= "syn    ",
		[OWNER_HELD_TW]		= "tw     ",
		[OWNER_HELD_ORPHAN]	= "orphan ",
		[OWNER_HELD_KERNEL]	= "kernel ",
		[OWNER_HELD_FD]		= "fd     ",
	};
	const struct owner_sock *sock = row->sock;
	const struct endpoints *ends = &sock->ends;
	char *begin = p;

	if (unlikely(!sock))
		return owner_sharer_write(&writer->front, p, row->process);
	p = owner_front_write(&writer->front, p, row);
	memcpy(p, protos[sock->proto], sizeof(protos[0]));
	p += OWNER_STAT - OWNER_PROTO;
	p = owner_proto_tcp(sock->proto) ? state_write_tcp(p, sock->state) :
					   state_write_udp(p, sock->state);
	p = unlikely(ends->family == AF_PACKET) ?
	    owner_packet_write(writer, p, begin, sock) :
	    owner_ends_write(writer, p, begin, sock);
	memcpy(p, helds[row->fd ? OWNER_HELD_FD : sock->held], sizeof(helds[0]));
	p += OWNER_CGROUP - OWNER_HELD;
	if (likely(writer->scope_length && writer->cgroup == sock->cgroup &&
		   writer->netns == sock->netns)) {
		memcpy(p, writer->scope, sizeof(writer->scope));
		p += writer->scope_length;
	} else {
		p = owner_scope_write(writer, p, sock);
	}
	p = field_right8(p, sock->inode);
	p[-1] = '\n';
	return p;
}

/**
 * owner_write() - write rows as lines
 * @found: where the rows are from
 * @cursor: the place of the first of them; goes behind the last
 * @count: how many, if there are as many
 * @p: where to; room for as many times OWNER_ROW_MAX
 *
 * Context: Any.
 * Return: where the lines end.
 */
char *owner_write(const struct owner_found *found, struct owner_cursor *cursor,
		  unsigned int count, char *p)
{
	struct owner_writer writer = { .found = found };
	struct owner_row row;

	while (count-- && owner_next_row(found, cursor, &row))
		p = owner_row_write(&writer, p, &row);
	return p;
}
