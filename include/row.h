/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A row of the four tables: its columns, and what its writers need to know of
 * the reader.
 */
#ifndef KNETSTAT_ROW_H
#define KNETSTAT_ROW_H

#include <linux/cred.h>
#include <linux/uidgid.h>
#include <net/sock.h>

#include "compat.h"
#include "field.h"

/* Where the columns begin: the same but for the width of an address. */
#define ROW_RECVQ	0
#define ROW_SENDQ	7
#define ROW_LOCAL	14
#define ROW_IPV4	(FIELD_IPV4_MAX + FIELD_PORT_MAX)	/* 21 */
#define ROW_IPV6	(39 + FIELD_PORT_MAX)			/* 45 */
#define ROW_FOREIGN(v6)	(ROW_LOCAL + ((v6) ? ROW_IPV6 : ROW_IPV4) + 1)
#define ROW_STAT(v6)	(ROW_FOREIGN(v6) + ((v6) ? ROW_IPV6 : ROW_IPV4) + 1)
#define ROW_DIAG(v6)	(ROW_STAT(v6) + 5)
#define ROW_DROPS(v6)	(ROW_DIAG(v6) + 7)
#define ROW_UID(v6)	(ROW_DROPS(v6) + 6)
#define ROW_INODE(v6)	(ROW_UID(v6) + 6)
#define ROW_OPTIONS(v6)	(ROW_INODE(v6) + 9)

/*
 * The most bytes that a row may take, options and all, and what its writers
 * may scribble past it. KUnit writes the widest row there can be against it.
 */
#define ROW_MAX		2048

/**
 * struct row_reader - what is the same for all rows that one read() writes
 * @net: the namespace that is read
 * @user_ns: the opener's; UIDs are shown in its terms
 * @net_admin: the opener has CAP_NET_ADMIN over @net
 * @congestion: the congestion control that @net's sockets start with; only to
 *	be compared
 * @pmtudisc: the IP_MTU_DISCOVER that @net's sockets start with
 * @v6only: the IPV6_V6ONLY that @net's sockets start with
 * @now: tcp_jiffies32
 * @uid: the owner that was asked for last
 * @munged: what it is in @user_ns
 *
 * On the stack of one read(); never shared.
 */
struct row_reader {
	struct net *net;
	struct user_namespace *user_ns;
	bool net_admin;
	const void *congestion;
	u8 pmtudisc;
	bool v6only;
	u32 now;
	kuid_t uid;
	uid_t munged;
};

/**
 * row_uid() - a UID in the reader's terms
 * @reader: the reader
 * @uid: the UID
 *
 * Most sockets of a host belong to a few users, so the last answer is kept.
 *
 * Return: the UID, or the overflow UID where the reader has no name for it.
 */
static inline uid_t row_uid(struct row_reader *reader, kuid_t uid)
{
	if (!uid_eq(uid, reader->uid)) {
		reader->uid = uid;
		reader->munged = from_kuid_munged(reader->user_ns, uid);
	}
	return reader->munged;
}

/**
 * row_begin() - write the columns up to Foreign-Address
 * @row: where the row begins
 * @v6: its addresses are IPv6
 * @sk: the socket, or what stands for one: its sock_common is read
 * @recvq: Recv-Q
 * @sendq: Send-Q
 * @sport: the local port, host byte order
 * @dport: the foreign port, host byte order
 *
 * Return: where Stat is to be written.
 */
static __always_inline char *row_begin(char *row, bool v6,
				       const struct sock *sk, u32 recvq,
				       u32 sendq, u16 sport, u16 dport)
{
	char *p = row;

	if (likely(!(recvq | sendq))) {
		p = field_str(p, "     0      0 ");
	} else {
		p = field_right(p, row + ROW_SENDQ, recvq);
		p = field_right(p, row + ROW_LOCAL, sendq);
	}

	if (v6) {
#if IS_ENABLED(CONFIG_IPV6)
		p = field_ipv6(p, &sk->sk_v6_rcv_saddr);
		p = field_pad(field_port(p, sport), row + ROW_FOREIGN(1));
		p = field_ipv6(p, &sk->sk_v6_daddr);
		p = field_pad(field_port(p, dport), row + ROW_STAT(1));
#endif
	} else {
		p = field_ipv4(p, sk->sk_rcv_saddr);
		p = field_pad(field_port(p, sport), row + ROW_FOREIGN(0));
		p = field_ipv4(p, sk->sk_daddr);
		p = field_pad(field_port(p, dport), row + ROW_STAT(0));
	}
	return p;
}

/**
 * row_owner() - write Drops, UID and Inode
 * @p: where Diag ended
 * @row: where the row begins
 * @v6: its addresses are IPv6
 * @drops: Drops
 * @uid: UID
 * @inode: Inode
 *
 * Return: where Options is to be written.
 */
static __always_inline char *row_owner(char *p, char *row, bool v6, u32 drops,
				       uid_t uid, u64 inode)
{
	p = field_pad(p, row + ROW_DROPS(v6));
	p = field_right(p, row + ROW_UID(v6), drops);
	p = field_right(p, row + ROW_INODE(v6), uid);
	return field_right(p, row + ROW_OPTIONS(v6), inode);
}

char *tcp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader);
char *udp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader);

#endif /* KNETSTAT_ROW_H */
