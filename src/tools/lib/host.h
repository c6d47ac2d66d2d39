/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host that is looked at: ours, or the one whose procfs is mounted elsewhere.
 */
#ifndef KNETSTAT_TOOLS_HOST_H
#define KNETSTAT_TOOLS_HOST_H

#include "common.h"

void host_set_proc(const char *dir);
bool host_is_other(void);
__printf(1, 2) char *host_proc(const char *format, ...);
char *host_process(const char *file);
char *host_net(const char *file);
char *host_root(const char *path);

#endif /* KNETSTAT_TOOLS_HOST_H */
