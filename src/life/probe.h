/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFE_PROBE_H
#define KNETSTAT_LIFE_PROBE_H

struct sock;
struct task_struct;

void probe_older(const struct sock *sk, struct task_struct *holder);
int probe_init(void);
void probe_exit(void);

#endif /* KNETSTAT_LIFE_PROBE_H */
