/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sockstat: what its files share.
 */
#ifndef KNETSTAT_SOCKSTAT_H
#define KNETSTAT_SOCKSTAT_H

#include "../lib/table.h"

/* As long as the names of processes are. */
#define COMM_MAX	15

/* What FreeBSD prints where there is nothing to say. */
#define UNKNOWN		"??"

enum proto {
	TCP4, TCP6, TCP46, UDP4, UDP6, UDP46, RAW4, RAW6, ICMP4, ICMP6, PACKET,
	STREAM, DGRAM, SEQPACKET,
	PROTOS
};

#define TCP_BITS	(BIT(TCP4) | BIT(TCP6) | BIT(TCP46))
#define UDP_BITS	(BIT(UDP4) | BIT(UDP6) | BIT(UDP46))
#define PORT_BITS	(TCP_BITS | UDP_BITS)
#define RAW_BITS	(BIT(RAW4) | BIT(RAW6))
#define ICMP_BITS	(BIT(ICMP4) | BIT(ICMP6))
#define UNIX_BITS	(BIT(STREAM) | BIT(DGRAM) | BIT(SEQPACKET))
#define INET_BITS	(BIT(STREAM) - 1)
/* Those that serve both count for both. */
#define IPV4_BITS	(BIT(TCP4) | BIT(TCP46) | BIT(UDP4) | BIT(UDP46) | \
			 BIT(RAW4) | BIT(ICMP4))
#define IPV6_BITS	(BIT(TCP6) | BIT(TCP46) | BIT(UDP6) | BIT(UDP46) | \
			 BIT(RAW6) | BIT(ICMP6))

/* How a row comes to be: HELD. */
enum held {
	HELD_NONE, HELD_FD, HELD_QUEUE, HELD_SYN, HELD_TW, HELD_ORPHAN, HELD_KERNEL,
	HELDS
};

/* The columns that can be printed, in the order they are printed in. */
enum column {
	C_NETNS, C_USER, C_COMMAND, C_PID, C_FD, C_PROTO, C_LOCAL, C_FOREIGN,
	C_INODE, C_STATE, C_CC, C_HELD, C_RECVQ, C_SENDQ, C_DIAG, C_DROPS, C_CGROUP,
	C_OPTIONS, C_ARGUMENTS,
	COLUMNS
};

/* Those that are in the four tables only. */
#define JOINED_COLUMNS	(BIT(C_CC) | BIT(C_RECVQ) | BIT(C_SENDQ) | BIT(C_DIAG) | \
			 BIT(C_DROPS) | BIT(C_OPTIONS))

/* The columns of the four tables that are of use here. */
enum joined {
	RECV_Q, SEND_Q, LOCAL_ADDRESS, FOREIGN_ADDRESS, DIAG, DROPS, TABLE_INODE, OPTIONS,
	JOINED
};

/* What the user asked for. */
struct options {
	unsigned int shown;		/* the columns, by bit */
	unsigned int family;		/* -4, -6: protocols, by bit; 0: all */
	unsigned int protos;		/* -P, by bit */
	unsigned int held;		/* by bit; 0: all */
	bool connected;
	bool listening;
	bool unix_too;
	bool no_header;
	bool no_loopback;
	bool numeric;
	bool wide;
	bool json;
	bool array;
	bool verbose;
	bool trouble;
	bool cgroup;			/* cgroup_wanted() knows which */
	bool *ports;			/* by port; NULL: all */
	bool by_user;
	u64 uid;
	u64 *pids;			/* NULL: all */
	size_t pid_count;
	const char *command;		/* NULL: all */
	const char *netns;		/* NULL: our own */
	bool all_netns;
	bool netns_by_number;		/* it is found in the host's file */
	u64 netns_only;			/* the only namespace; 0: all, or not known */
};

extern struct options opt;

/**
 * struct state - a socket's state
 * @stat: as the module has it
 * @name: as FreeBSD has it; of others than TCP, which have none there, as ss does
 * @protos: of which protocols it is one
 */
struct state {
	char stat[8];
	char name[12];
	unsigned int protos;
};

/**
 * struct end - an address and a port
 * @whole: both, as the file has them
 * @mapped: where in there the IPv4 address begins, if it is mapped to IPv6; else 0
 * @colon: where in there the colon before the port is
 * @port: the port; 0: none
 */
struct end {
	struct word whole;
	size_t mapped;
	size_t colon;
	u64 port;
};

/**
 * struct peer - who is at the other end of a Unix socket
 * @pid: a process that holds it; 0: none, as far as we may know
 * @comm: its name, escaped
 * @fd: by which descriptor
 * @path: the path there, escaped
 */
struct peer {
	u64 pid;
	struct word comm;
	struct word fd;
	struct word path;
};

/**
 * struct row - a row of sockowner or unixowner
 * @process: a number that the rows of a process that follow each other share,
 *	if they have the same UID
 * @uid: the socket owner's
 * @pid: the process that holds it; 0: none, as far as we may know
 * @comm: the process's name, escaped
 * @fd: by which descriptor
 * @proto: the protocol; of a mapped connection it is IPv4's
 * @state: the state
 * @local: this end
 * @foreign: the other one
 * @path: of a Unix socket, instead of both: its path, escaped, or "-"
 * @peer: and the inode number at the other end; 0: none
 * @held: how it comes to be
 * @cgroup: its cgroup's id; 0: none
 * @netns: its network namespace's inode number; 0: not known
 * @inode: the socket's inode number, or 0
 * @joined: its fields in the four tables, by enum joined; NULL: not found, not asked for
 * @usual_cc: what a socket that names no congestion control has; NULL: not known
 *
 * What has come from the file stays until the next row is read.
 */
struct row {
	unsigned long process;
	u64 uid;
	u64 pid;
	struct word comm;
	struct word fd;
	enum proto proto;
	const struct state *state;
	struct end local;
	struct end foreign;
	struct word path;
	u64 peer;
	enum held held;
	u64 cgroup;
	u64 netns;
	u64 inode;
	const struct word *joined;
	const char *usual_cc;
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

/* row.c */
extern const union name held_names[HELDS];
void rows_open(const char *dir);
void rows_header(void);
void rows_keep(void);
void rows_rewind(bool quiet);
bool rows_next(struct row *row);
struct word row_unescape(struct word field);

/* option.c */
void want_option(const char *arg, bool with);
bool options_filtered(void);
unsigned int options_protos(void);
struct word option_value(struct word list, struct word name);
bool options_wanted(struct word options);

/* filter.c */
bool tables_wanted(void);
void filter_begin(void);
bool next_wanted(struct row *row);

/* join.c */
void join_open(const char *dir, const char *usual_cc, u64 netns);
void join_read(void);
void join_row(struct row *row);
u64 join_missed(void);

/* peer.c */
void peers_read(void);
const struct peer *peer_of(u64 inode);

/* lookup.c */
struct word arguments(u64 pid);
struct word cgroup_field(u64 id);

/* netns.c */
extern u64 netns_number_shown;
void open_tables(void);

/* print.c */
extern const char proto_names[PROTOS][8];
struct word congestion_of(const struct row *row);
unsigned int columns_named(struct word name);
void print_begin(void);
void print_row(const struct row *row);

/* json.c */
void print_json(const struct row *row);

#endif /* KNETSTAT_SOCKSTAT_H */
