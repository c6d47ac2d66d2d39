/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose the paths of an MPTCP connection are.
 */
#ifndef KNETSTAT_LIFE_PATHS_H
#define KNETSTAT_LIFE_PATHS_H

#include <net/sock.h>

#include "row.h"

int paths_init(unsigned int sessions);
void paths_exit(void);
void paths_accept(const struct sock *msk);
void paths_set_state(const struct sock *msk, int state);
enum life_by paths_user(const struct sock *ssk, struct life_task *task);

#endif /* KNETSTAT_LIFE_PATHS_H */
