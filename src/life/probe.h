/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFE_PROBE_H
#define KNETSTAT_LIFE_PROBE_H

#include <linux/types.h>

struct pid_namespace;

int probe_init(void);
void probe_exit(void);
u32 probe_pid_ns(const struct pid_namespace *ns);

#endif /* KNETSTAT_LIFE_PROBE_H */
