/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network namespaces: which one an option means.
 */
#ifndef KNETSTAT_TOOLS_NETNS_H
#define KNETSTAT_TOOLS_NETNS_H

#include "common.h"

/**
 * struct netns - a network namespace that an option names
 * @number: its inode number; 0: not for this user to know
 * @pid: the process in it that was named; 0: none was
 * @path: where it is, which may be entered; NULL: its number was named
 */
struct netns {
	u64 number;
	u64 pid;
	char *path;
};

void netns_find(struct netns *netns, const char *arg);
u64 netns_number(const char *arg);
const char *netns_name(u64 number);

#endif /* KNETSTAT_TOOLS_NETNS_H */
