/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups (v2): paths for the ids that sockets have.
 */
#ifndef KNETSTAT_TOOLS_CGROUP_H
#define KNETSTAT_TOOLS_CGROUP_H

#include "common.h"

const char *cgroup_path(u64 id);
void cgroup_want(const char *arg);
bool cgroup_wanted(u64 id);

#endif /* KNETSTAT_TOOLS_CGROUP_H */
