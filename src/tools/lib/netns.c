// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces. See netns.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host.h"
#include "lists.h"
#include "netns.h"
#include "say.h"
#include "text.h"

/* No PID is as large (PID_MAX_LIMIT); and no namespace's inode number as small. */
#define PID_MAX	4194304

/**
 * netns_number() - the network namespace that an option names
 * @arg: a name below /run/netns, a path, the PID of a process in it, or its inode
 *	number, as NETNS has it
 *
 * Return: its inode number.
 */
u64 netns_number(const char *arg)
{
	struct stat stats;
	char *path, *name;
	u64 number;

	if (parse_number(word_of(arg), UINT_MAX, &number) && number) {
		if (number > PID_MAX)
			return number;
		path = host_proc("%llu/ns/net", number);
		if (stat(path, &stats)) {
			if (errno == ENOENT)
				usage_error("no such process", arg);
			say("cannot look at the network namespace of process %llu: %s",
			    number, strerror(errno));
			exit(1);
		}
	} else {
		if (!arg[strspn(arg, "0123456789.")])
			usage_error("bad network namespace (a name, a path, a PID or a number)",
				    arg);
		name = formatted("/run/netns/%s", arg);
		path = strchr(arg, '/') ? copy_of(arg, strlen(arg)) : host_root(name);
		free(name);
		if (stat(path, &stats))
			usage_error("no such network namespace", arg);
	}
	free(path);
	return stats.st_ino;
}
