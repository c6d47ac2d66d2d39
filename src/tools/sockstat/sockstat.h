/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sockstat: what its files share.
 */
#ifndef KNETSTAT_SOCKSTAT_H
#define KNETSTAT_SOCKSTAT_H

#include "../lib/table.h"

/* As long as the names of processes are. */
#define COMM_MAX	15

enum proto {
	TCP4, TCP6, UDP4, UDP6,
	PROTOS
};

#define BIT(n)		(1U << (n))
#define TCP_BITS	(BIT(TCP4) | BIT(TCP6))
#define UDP_BITS	(BIT(UDP4) | BIT(UDP6))
#define IPV4_BITS	(BIT(TCP4) | BIT(UDP4))
#define IPV6_BITS	(BIT(TCP6) | BIT(UDP6))
#define ALL_BITS	(TCP_BITS | UDP_BITS)

/* The columns that can be printed, in the order they are printed in. */
enum column {
	C_NETNS, C_USER, C_COMMAND, C_PID, C_FD, C_PROTO, C_LOCAL, C_FOREIGN,
	C_INODE, C_STATE, C_CC, C_ARGUMENTS,
	COLUMNS
};

/* What the user asked for. */
struct options {
	unsigned int shown;		/* the columns, by bit */
	unsigned int family;		/* -4, -6: protocols, by bit; 0: all */
	unsigned int protos;		/* -P */
	bool connected;
	bool listening;
	bool no_header;
	bool no_loopback;
	bool numeric;
	bool wide;
	bool json;
	bool *ports;			/* by port; NULL: all */
	bool by_user;
	u64 uid;
	u64 *pids;			/* NULL: all */
	size_t pid_count;
	const char *command;		/* NULL: all */
	const char *netns;		/* a name; NULL: not by name */
	u64 netns_pid;			/* 0: not by PID */
};

extern struct options opt;
extern const char * const proto_names[PROTOS];

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
 * @port: the port; 0: none
 */
struct end {
	struct word whole;
	struct word addr;
	u64 port;
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
 * @state: the state
 * @local: this end
 * @foreign: the other one
 * @inode: the socket's inode number, or 0
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
	u64 inode;
};

/* The owner of a connection in TIME_WAIT is not known: its UID is always 0. */
static inline bool has_owner(const struct row *row)
{
	return row->state->stat[0] != 'T';
}

/* row.c */
void rows_open(char *path);
void rows_header(void);
bool rows_next(struct row *row);
struct word row_unescape(struct word field);

/* filter.c */
bool wanted(const struct row *row);

/* lookup.c */
struct word arguments(u64 pid);
void congestion_read(struct table *table, const char *usual);
void congestion_sort(void);
const char *congestion_of(const struct row *row);

/* netns.c */
extern u64 netns_inode;
void parse_netns(const char *arg);
void open_tables(void);

/* print.c */
void print_begin(void);
void print_row(const struct row *row);

/* json.c */
void print_json(const struct row *row);

#endif /* KNETSTAT_SOCKSTAT_H */
