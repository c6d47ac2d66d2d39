/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sockstat: what its files share.
 */
#ifndef KNETSTAT_SOCKSTAT_H
#define KNETSTAT_SOCKSTAT_H

#include "../lib/table.h"

/* As long as the names of processes are. */
#define COMM_MAX	15

/* 46: an IPv6 socket that serves IPv4 as well. */
enum proto {
	TCP4, TCP6, TCP46, UDP4, UDP6, UDP46, RAW4, RAW6, ICMP4, ICMP6, PACKET,
	STREAM, DGRAM, SEQPACKET,
	PROTOS
};

#define TCP_BITS	(BIT(TCP4) | BIT(TCP6) | BIT(TCP46))
#define UDP_BITS	(BIT(UDP4) | BIT(UDP6) | BIT(UDP46))
#define RAW_BITS	(BIT(RAW4) | BIT(RAW6))
#define ICMP_BITS	(BIT(ICMP4) | BIT(ICMP6))
#define BOTH_BITS	(BIT(TCP46) | BIT(UDP46))
#define IPV4_BITS	(BIT(TCP4) | BIT(UDP4) | BIT(RAW4) | BIT(ICMP4) | BOTH_BITS)
#define IPV6_BITS	(BIT(TCP6) | BIT(UDP6) | BIT(RAW6) | BIT(ICMP6) | BOTH_BITS)
#define UNIX_BITS	(BIT(STREAM) | BIT(DGRAM) | BIT(SEQPACKET))
#define NO_TCP_BITS	(UDP_BITS | RAW_BITS | ICMP_BITS | BIT(PACKET) | UNIX_BITS)
#define ALL_BITS	(TCP_BITS | NO_TCP_BITS)

/* The columns that can be printed, in the order they are printed in. */
enum column {
	C_NETNS, C_USER, C_COMMAND, C_PID, C_FD, C_PROTO, C_LOCAL, C_FOREIGN,
	C_INODE, C_STATE, C_HELD, C_RECV_Q, C_SEND_Q, C_DIAG, C_DROPS, C_CC,
	C_CGROUP, C_OPTIONS, C_ARGUMENTS,
	COLUMNS
};

/* Those that are in the tables of sockets. */
#define JOINED_BITS	(BIT(C_RECV_Q) | BIT(C_SEND_Q) | BIT(C_DIAG) | \
			 BIT(C_DROPS) | BIT(C_CC) | BIT(C_OPTIONS))

/**
 * struct wish - a socket option that is asked for
 * @name: its name
 * @value: its value; nothing: any that is not 0
 * @without: it must not be so
 */
struct wish {
	struct word name;
	struct word value;
	bool without;
};

/* What the user asked for. */
struct options {
	unsigned int shown;		/* the columns, by bit */
	unsigned int family;		/* -4, -6: protocols, by bit; 0: all */
	unsigned int protos;		/* -P */
	unsigned int held;		/* --held: enum held, by bit; 0: all */
	bool connected;
	bool listening;
	bool no_header;
	bool no_loopback;
	bool numeric;
	bool wide;
	bool json;
	bool array;
	bool trouble;
	bool cgroup;
	bool all_netns;			/* -j all */
	bool unix_too;			/* -u */
	bool *ports;			/* by port; NULL: all */
	bool by_user;
	u64 uid;
	u64 *pids;			/* NULL: all */
	size_t pid_count;
	struct wish *wishes;		/* --with, --without */
	size_t wish_count;
	const char *command;		/* NULL: all */
	const char *netns;		/* a name; NULL: not by name */
	u64 netns_pid;			/* 0: not by PID */
};

extern struct options opt;
extern const char * const proto_names[PROTOS];

/* How a row comes to be. */
enum held {
	HELD_UNKNOWN, HELD_FD, HELD_QUEUE, HELD_SYN, HELD_TW, HELD_ORPHAN, HELD_KERNEL,
	HELDS
};

extern const char * const held_names[HELDS];

/**
 * struct state - a socket's state
 * @stat: as the module has it
 * @name: as FreeBSD has it; of UDP, which has none there, as ss does
 * @protos: of which protocols it is one
 * @connected: whether -c takes it
 * @listening: whether -l takes it, given that there is a local port
 */
struct state {
	char stat[5];
	char name[12];
	unsigned int protos;
	bool connected;
	bool listening;
};

/**
 * struct end - an address and a port
 * @whole: both, as the file has them
 * @addr: the address
 * @iface: the interface behind it, or nothing
 * @port: the port; 0: none
 * @odd: it is neither an address nor a port, as of packet sockets
 */
struct end {
	struct word whole;
	struct word addr;
	struct word iface;
	u64 port;
	bool odd;
};

/**
 * struct row - a row of sockowner
 * @process: a number that the rows of a process that follow each other share,
 *	if they have the same UID
 * @uid: the socket owner's
 * @pid: the process that holds it; 0: none, as far as we may know
 * @comm: the process's name, escaped
 * @fd: by which descriptor
 * @proto: the protocol
 * @mapped: it is an IPv6 socket with IPv4 addresses
 * @state: the state
 * @local: this end
 * @foreign: the other one
 * @held: how it comes to be
 * @cgroup: the id of its cgroup, or 0
 * @netns: the number of its namespace; nothing if the module is too old to tell
 * @inode: the socket's inode number, or 0
 * @peer: of a Unix socket, that of the one at the other end, or 0; its path is the
 *	address of this end
 */
struct row {
	unsigned long process;
	u64 uid;
	u64 pid;
	struct word comm;
	struct word fd;
	enum proto proto;
	bool mapped;
	const struct state *state;
	struct end local;
	struct end foreign;
	enum held held;
	u64 cgroup;
	struct word netns;
	u64 inode;
	u64 peer;
};

/* The files that rows are of. */
enum rows { ROWS_INET, ROWS_UNIX };

/**
 * struct joined - what a table of sockets says of one; nothing: it says nothing
 * @recv_q: Recv-Q
 * @send_q: Send-Q
 * @diag: Diag
 * @drops: Drops
 * @options: Options
 */
struct joined {
	struct word recv_q;
	struct word send_q;
	struct word diag;
	struct word drops;
	struct word options;
};

/* The owner of a connection in TIME_WAIT is not known: its UID is always 0. */
static inline bool has_owner(const struct row *row)
{
	return row->state->stat[0] != 'T';
}

static inline bool is_unix(const struct row *row)
{
	return BIT(row->proto) & UNIX_BITS;
}

/* The protocol that -4, -6 and -P know a row by. */
static inline enum proto proto_of(const struct row *row)
{
	if (!row->mapped)
		return row->proto;
	return BIT(row->proto) & TCP_BITS ? TCP4 : UDP4;
}

/* row.c */
void rows_open(char *path, enum rows which);
void rows_whole(void);
void rows_header(void);
bool rows_next(struct row *row);
struct word row_unescape(struct word field);

/* filter.c */
void add_wish(const char *arg, bool without);
unsigned int parse_held(const char *arg);
bool wanted(const struct row *row);

/* join.c */
void join_begin(void);
void join_read(struct word netns, struct table *table, const char *usual);
void join(const struct row *row, struct joined *joined);
struct word joined_option(const struct joined *joined, const char *name);
struct word congestion_of(const struct row *row, const struct joined *joined);

/* peer.c */
void print_unix(void (*print)(const struct row *row));
void peer_text(const struct row *row, struct text *text);
const struct row *peer_of(const struct row *row);

/* lookup.c */
struct word arguments(u64 pid);

/* netns.c */
extern struct word own_netns;
void parse_netns(const char *arg);
void open_tables(void);
void open_unix(void);
bool netns_tables(const struct row *row);
const char *netns_name(struct word number);

/* print.c */
void print_begin(void);
void print_row(const struct row *row);

/* json.c */
void print_json(const struct row *row);

#endif /* KNETSTAT_SOCKSTAT_H */
