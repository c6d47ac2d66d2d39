/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is recorded: the ring of finished sessions and their counters, the table of
 * live ones, and each namespace's view of them.
 */
#ifndef KNETSTAT_LIFE_RECORD_H
#define KNETSTAT_LIFE_RECORD_H

#include <linux/mutex.h>
#include <net/net_namespace.h>

#include "ports.h"
#include "ring.h"
#include "session.h"
#include "view.h"

extern struct ring life_ring;
extern struct session_table life_sessions;

/* Under life_ring's lock. */
extern struct ports life_ports;
/* Whoever has it can go through many rows of the counters, and none is freed. */
extern struct mutex life_ports_mutex;

int record_init(unsigned int records, unsigned int sessions,
		unsigned int ports);
void record_exit(void);
struct view *view_of(const struct net *net);
void record_row(struct view *view, const struct life_row *row);

#endif /* KNETSTAT_LIFE_RECORD_H */
