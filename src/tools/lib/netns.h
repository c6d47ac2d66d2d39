/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network namespaces: which one an option means.
 */
#ifndef KNETSTAT_TOOLS_NETNS_H
#define KNETSTAT_TOOLS_NETNS_H

#include "common.h"

u64 netns_number(const char *arg);

#endif /* KNETSTAT_TOOLS_NETNS_H */
