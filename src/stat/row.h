/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A row of the four tables: its columns, and what its writers need to know of
 * the reader.
 */
#ifndef KNETSTAT_STAT_ROW_H
#define KNETSTAT_STAT_ROW_H

#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/uidgid.h>
#include <net/sock.h>

#include "compat.h"
#include "diag.h"
#include "field.h"
#include "options.h"
#include "state.h"

/* Where the columns begin: the same but for the width of an address (v6: wide). */
#define ROW_SENDQ	7
#define ROW_LOCAL	14
#define ROW_IPV4	(FIELD_IPV4_MAX + FIELD_PORT_MAX)	/* 21 */
#define ROW_IPV6	(39 + FIELD_PORT_MAX)			/* 45 */
#define ROW_ADDRESS(v6)	(((v6) ? ROW_IPV6 : ROW_IPV4) + 1)
#define ROW_FOREIGN(v6)	(ROW_LOCAL + ROW_ADDRESS(v6))
#define ROW_STAT(v6)	(ROW_LOCAL + 2 * ROW_ADDRESS(v6))
#define ROW_DIAG(v6)	(ROW_STAT(v6) + 5)
#define ROW_DROPS(v6)	(ROW_DIAG(v6) + 7)
#define ROW_UID(v6)	(ROW_DROPS(v6) + 6)
#define ROW_INODE(v6)	(ROW_UID(v6) + 6)
#define ROW_OPTIONS(v6)	(ROW_INODE(v6) + 9)

/* The most bytes before Options, where no column keeps to its width. */
#define ROW_COLUMNS_MAX	(2 * (10 + 1) + 2 * (FIELD_IPV6_MAX + FIELD_PORT_MAX + 1) + \
			 STATE_WIDTH + DIAG_MAX + 1 + 10 + 1 + 10 + 1 +	\
			 FIELD_U64_MAX + 1)
/*
 * The most bytes that a row may take, options and all, and what its writers
 * may scribble past it: more than any socket can have at once. KUnit writes the
 * row that has all of it.
 */
#define ROW_MAX		2048
static_assert(ROW_COLUMNS_MAX + sizeof(OPTIONS_TCP_ALWAYS) + OPTIONS_REST_MAX +
	      FIELD_SLACK <= ROW_MAX);

/* How many owners a reader remembers, a power of two. */
#define ROW_UIDS	16
/* What is copied of an owner's text, which is the column or, at most, 11. */
#define ROW_UID_TEXT	16
#define ROW_UID_WIDTH	(ROW_INODE(0) - ROW_UID(0))

/**
 * struct row_reader - what is the same for all rows that a reader gets
 * @net: the namespace that is read
 * @user_ns: the opener's; UIDs are shown in its terms
 * @net_admin: the opener has CAP_NET_ADMIN over @net
 * @congestion: the congestion control that @net's sockets start with; only to
 *	be compared
 * @pmtudisc: the IP_MTU_DISCOVER that @net's sockets start with
 * @v6only: the IPV6_V6ONLY that @net's sockets start with
 * @opts: room for a row's options; here and not on each row's stack, which a
 *	kernel with CONFIG_INIT_STACK_ALL_ZERO would clear each time
 * @uids: owners that were asked for, each with its text in @user_ns's terms
 *
 * Part of an open file, under its seq_file's mutex.
 */
struct row_reader {
	struct net *net;
	struct user_namespace *user_ns;
	bool net_admin;
	const void *congestion;
	u8 pmtudisc;
	bool v6only;
	struct options opts;
	struct row_uid {
		kuid_t uid;
		u8 length;
		/* Flush right in the column, with the blank that ends it. */
		char text[ROW_UID_TEXT + FIELD_SLACK];
	} uids[ROW_UIDS];
};

void row_uids_init(struct row_reader *reader);
void row_uid_miss(struct row_reader *reader, struct row_uid *cached,
		  kuid_t uid);

/**
 * row_uid() - write the UID column
 * @p: where it begins
 * @reader: the reader, in whose terms it is
 * @uid: the owner
 *
 * Most sockets of a host belong to a few users: their texts are kept.
 *
 * Return: where Inode is to be written.
 */
static __always_inline char *row_uid(char *p, struct row_reader *reader,
				     kuid_t uid)
{
	struct row_uid *cached = &reader->uids[__kuid_val(uid) % ROW_UIDS];

	if (unlikely(!uid_eq(uid, cached->uid)))
		row_uid_miss(reader, cached, uid);
	memcpy(p, cached->text, ROW_UID_TEXT);
	return p + cached->length;
}

/**
 * row_begin() - write the columns up to Foreign-Address
 * @row: where the row begins
 * @v6: its addresses are IPv6
 * @wide: the columns are wide enough for those
 * @sk: the socket, or what stands for one: its sock_common is read
 * @recvq: Recv-Q
 * @sendq: Send-Q
 * @sport: the local port, host byte order
 * @dport: the foreign port, host byte order
 *
 * Return: where Stat is to be written.
 */
static __always_inline char *row_begin(char *row, bool v6, bool wide,
				       const struct sock *sk, u32 recvq,
				       u32 sendq, u16 sport, u16 dport)
{
	struct in6_addr addr __maybe_unused;
	char *p = row;

	if (likely(!(recvq | sendq))) {
		p = field_str(p, "     0      0 ");
	} else {
		p = field_right(p, row + ROW_SENDQ, recvq);
		p = field_right(p, row + ROW_LOCAL, sendq);
	}

	if (v6) {
#if IS_ENABLED(CONFIG_IPV6)
		/* Copies: data races while it connects or binds. */
		data_race(addr = sk->sk_v6_rcv_saddr);
		p = field_ipv6(p, &addr);
		p = field_pad(field_port(p, sport), row + ROW_FOREIGN(wide));
		/* As above. */
		data_race(addr = sk->sk_v6_daddr);
		p = field_ipv6(p, &addr);
		p = field_pad(field_port(p, dport), row + ROW_STAT(wide));
#endif
	} else {
		p = field_ipv4(p, READ_ONCE(sk->sk_rcv_saddr));
		p = field_pad(field_port(p, sport), row + ROW_FOREIGN(wide));
		p = field_ipv4(p, READ_ONCE(sk->sk_daddr));
		p = field_pad(field_port(p, dport), row + ROW_STAT(wide));
	}
	return p;
}

/**
 * row_drops() - write Drops
 * @p: where Diag ended
 * @row: where the row begins
 * @wide: its columns are wide enough for IPv6
 * @drops: Drops
 *
 * Return: where UID is to be written.
 */
static __always_inline char *row_drops(char *p, char *row, bool wide, u32 drops)
{
	if (likely(p == row + ROW_DIAG(wide) + 1 && !drops))
		return field_str(p, "          0 ");
	p = field_pad(p, row + ROW_DROPS(wide));
	return field_right(p, row + ROW_UID(wide), drops);
}

/**
 * row_inode() - write Inode
 * @p: where UID ended
 * @row: where the row begins
 * @wide: its columns are wide enough for IPv6
 * @inode: Inode
 *
 * Return: where Options is to be written.
 */
static __always_inline char *row_inode(char *p, char *row, bool wide, u64 inode)
{
	if (likely(p == row + ROW_INODE(wide)))
		return field_right8(p, inode);
	return field_right(p, row + ROW_OPTIONS(wide), inode);
}

/**
 * row_diag() - write Diag
 * @p: where to write
 * @marks: a set of enum diag_mark
 *
 * Return: the byte after the last character.
 */
static __always_inline char *row_diag(char *p, unsigned int marks)
{
	return likely(!marks) ? field_str(p, "-") : diag_write(p, marks);
}

char *tcp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader);
char *udp_row(char *p, struct sock *sk, bool v6, struct row_reader *reader);
bool tcp_suspect(const struct sock *sk);
bool udp_suspect(const struct sock *sk);
char *tcp_trouble(char *p, struct sock *sk, bool v6, struct row_reader *reader);
char *udp_trouble(char *p, struct sock *sk, bool v6, struct row_reader *reader);

#endif /* KNETSTAT_STAT_ROW_H */
