/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of the sessions that have ended, for each service port and side.
 *
 * Pure code: no socket; who calls it holds what struct ports says.
 */
#ifndef KNETSTAT_LIFE_PORTS_H
#define KNETSTAT_LIFE_PORTS_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "row.h"

#define PORTS_ENDS	(LIFE_END_UNREACH + 1)
#define PORTS_ROLES	(LIFE_ROLE_ACPT + 1)
#define PORTS_BUCKETS	5

/**
 * struct port_counts - what is counted of sessions
 * @ends: how many there were, by enum life_end
 * @tx: payload bytes that the peers acknowledged
 * @rx: payload bytes received
 * @retx: segments retransmitted
 * @life_us: how long they lived, in all, as far as that is known; microseconds
 * @conn_us: how long it took to connect, of those that did
 * @srtt_us: their last smoothed round-trip times, of those that had one
 * @conns: how many have part in @conn_us
 * @srtts: how many have part in @srtt_us
 * @life_in: how many lived for not longer than a bound of ports_life_us[], and
 *	for longer than the one before
 * @conn_in: the same of @conn_us and ports_conn_us[]
 * @srtt_in: the same of @srtt_us and ports_srtt_us[]
 *
 * All of them only ever grow.
 */
struct port_counts {
	u64 ends[PORTS_ENDS];
	u64 tx, rx, retx;
	u64 life_us, conn_us, srtt_us;
	u64 conns, srtts;
	u64 life_in[PORTS_BUCKETS];
	u64 conn_in[PORTS_BUCKETS];
	u64 srtt_in[PORTS_BUCKETS];
};

/**
 * struct port_row - the counters of a port and side in a namespace
 * @key: port_key(); 0 if the row is free
 * @next: the next one in its chain, or on the list of those that are free; its
 *	index and one, or 0
 * @counts: the counters
 */
struct port_row {
	u64 key;
	u32 next;
	struct port_counts counts;
};

static_assert(sizeof(struct port_row) == 256, "whole cache lines");

/**
 * struct ports - the counters of all ports
 * @limit: how many rows there are
 * @used: how many of them have ever been in use: those behind are free
 * @free: how many are free
 * @free_list: those of them that were in use: the first one's index and one
 * @generation: changes when a row is freed or becomes another's
 * @factor: odd, random; what keys are multiplied by to find their chain, so that
 *	nobody can choose ports that share one
 * @shift: how many bits of the product are not looked at
 * @heads: the chains
 * @rows: the rows
 *
 * Made at load, freed at exit. All of it is written under a lock which the caller
 * has: the ring's, so that the counters and the rows of the ring are one. A chain
 * is looked through under that lock for at most PORTS_CHAIN rows; where there is
 * no room in it, a session is counted without a port.
 *
 * When a namespace ends, its rows become those of the view of all namespaces
 * (ports_leave()). Only that frees rows or changes keys that are not 0; and who
 * reads many rows keeps it away, by a mutex of its own.
 *
 * Rows are a good that anybody can use up, by connecting to one port after the
 * other. So each side of each namespace gets another one only while it has fewer
 * than there are free: one that takes all it can leaves half of them, two leave a
 * third.
 */
struct ports {
	unsigned int limit;
	unsigned int used;
	unsigned int free;
	u32 free_list;
	unsigned int generation;
	u64 factor;
	unsigned int shift;
	u32 *heads;
	struct port_row *rows;
};

/*
 * The most rows of a chain. There are at least twice as many chains as rows, so
 * that few are longer than two.
 */
#define PORTS_CHAIN	8

/**
 * struct ports_view - a namespace's part in the counters, or that of all
 * @id: what its keys have; 0 for what namespaces that ended have left
 * @rows: how many rows it has, by enum life_role
 * @other: what is counted without a port, by enum life_role
 *
 * Under the same lock as the rows. What namespaces count without a port is in
 * the view of all namespaces' @other at once.
 */
struct ports_view {
	u64 id;
	unsigned int rows[PORTS_ROLES];
	struct port_counts other[PORTS_ROLES];
};

/*
 * The place of a row among others: by role, as its name is sorted, then by port,
 * then what has no port.
 */
#define PORTS_ORDER_OTHER	0x10000U
#define PORTS_ORDER_BITS	19

/* What a row may take, and what its writers may scribble past it. */
#define PORTS_ROW_MAX		1024

extern const u32 ports_life_us[PORTS_BUCKETS];
extern const u32 ports_conn_us[PORTS_BUCKETS];
extern const u32 ports_srtt_us[PORTS_BUCKETS];

/* The role and port of a key; never 0, as what has no role has no port. */
static inline u32 port_key_side(u64 key)
{
	return key & 0x3ffff;
}

static inline u64 port_key(u64 view_id, enum life_role role, u16 port)
{
	return view_id << 18 | role << 16 | port;
}

static inline u64 port_key_view(u64 key)
{
	return key >> 18;
}

/* The number of counters in struct port_counts. */
#define PORTS_COUNTS	(sizeof(struct port_counts) / sizeof(u64))

/**
 * port_counts_add() - add up
 * @sum: what to add to
 * @counts: what to add
 */
static inline void port_counts_add(struct port_counts *sum,
				   const struct port_counts *counts)
{
	const u64 *from = (const u64 *)counts;
	u64 *to = (u64 *)sum;
	unsigned int i;

	for (i = 0; i < PORTS_COUNTS; i++)
		to[i] += from[i];
}

u32 ports_order(enum life_role role, u32 port);
int ports_init(struct ports *ports, unsigned int limit);
void ports_exit(struct ports *ports);
void ports_count(struct ports *ports, struct ports_view *view,
		 struct ports_view *all, const struct life_row *row);
void ports_leave(struct ports *ports, u32 index, struct ports_view *view,
		 struct ports_view *all);
char *ports_header_write(char *p);
char *ports_row_write(char *p, u32 order, const struct port_counts *counts);

#endif /* KNETSTAT_LIFE_PORTS_H */
