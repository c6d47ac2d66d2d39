/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tcplife: what its files share.
 */
#ifndef KNETSTAT_TCPLIFE_H
#define KNETSTAT_TCPLIFE_H

#include <netinet/in.h>

#include "../lib/table.h"

/**
 * struct options - what the user asked for
 * @time: -T
 * @timestamp: -t
 * @wide: -w
 * @csv: -s
 * @all: -a
 * @live: -l
 * @extended: -x
 * @json: -J
 * @family: '4', '6', or 0: both
 * @pid: 0: all
 * @count: 0: without end
 * @array: --json-array
 * @users: -u, by number; NULL: all
 * @user_count: how many
 * @netns: --netns, its inode number; 0: all
 * @cgroup: --cgroup was given
 * @state: --state; NULL: none
 * @follow: -f
 * @local: by port; NULL: all
 * @remote: the same
 */
struct options {
	bool time;
	bool timestamp;
	bool wide;
	bool csv;
	bool all;
	bool live;
	bool extended;
	bool json;
	bool array;
	bool cgroup;
	bool follow;
	char family;
	u64 pid;
	u64 count;
	u64 netns;
	u64 *users;
	size_t user_count;
	const char *state;
	bool *local;
	bool *remote;
};

extern struct options opt;

/* The columns that the program itself looks at; TIME is SINCE in tcplive. */
enum column {
	TIME, PID, COMM, LADDR, LPORT, RADDR, RPORT, TX_B, RX_B, MS,
	NETNS, UID, CGROUP,
	LIVE_COLUMNS, SEQ = LIVE_COLUMNS,
	COLUMNS
};

/* A module that is older than the program may lack these. */
#define LATER_COLUMNS	BIT(CGROUP)

/**
 * struct row - what the program itself looks at in a row
 * @line: the row
 * @fields: all its fields, as many as the table has
 * @word: which of them are the columns
 * @value: of the columns that are numbers; of those with decimals, millionths
 *	(TIME) or thousandths (MS)
 * @addr: the addresses: local, remote
 * @text: where those of IPv6 are
 * @family: '4' or '6'
 * @old: it is older than the module, and there is no MS
 */
struct row {
	struct word line;
	struct word *fields;
	const struct word *word[COLUMNS];
	u64 value[COLUMNS];
	struct word addr[2];
	char text[2][INET6_ADDRSTRLEN + SLACK];
	char family;
	bool old;
};

void follow_prepare(void);
noreturn void follow(void);
noreturn void list_live(void);
void state_begin(const char *path);
bool state_knows(u64 *seq);
void state_reached(u64 seq);
void state_printed(void);
bool state_save(void);
void print_end(void);
void print_header(const struct table *table);
void print_row(const struct table *table, const struct row *row);

#endif /* KNETSTAT_TCPLIFE_H */
