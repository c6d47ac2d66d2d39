/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is recorded: the ring of finished sessions, the table of live ones, and
 * each namespace's view of both.
 */
#ifndef KNETSTAT_LIFE_RECORD_H
#define KNETSTAT_LIFE_RECORD_H

#include <net/net_namespace.h>

#include "ring.h"
#include "session.h"
#include "view.h"

extern struct ring life_ring;
extern struct session_table life_sessions;

int record_init(unsigned int records, unsigned int sessions);
void record_exit(void);
struct view *view_of(const struct net *net);

#endif /* KNETSTAT_LIFE_RECORD_H */
