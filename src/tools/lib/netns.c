// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces. See netns.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host.h"
#include "lists.h"
#include "netns.h"
#include "say.h"
#include "text.h"

#define NETNS_DIR	"/run/netns"

/* No PID is as large (PID_MAX_LIMIT); and no namespace's inode number as small. */
#define PID_MAX	4194304

/**
 * netns_find() - find the network namespace that an option names
 * @netns: set to it
 * @arg: a name below /run/netns, a path, the PID of a process in it, or its inode
 *	number, as NETNS has it
 */
void netns_find(struct netns *netns, const char *arg)
{
	struct stat stats;
	u64 number;
	char *name;

	*netns = (struct netns){ };
	if (parse_number(word_of(arg), UINT_MAX, &number) && number) {
		if (number > PID_MAX) {
			netns->number = number;
			return;
		}
		netns->pid = number;
		netns->path = host_proc("%llu/ns/net", number);
		if (!stat(netns->path, &stats))
			netns->number = stats.st_ino;
		else if (errno == ENOENT)
			usage_error("no such process", arg);
		return;
	}
	if (!arg[strspn(arg, "0123456789.")])
		usage_error("bad network namespace (a name, a path, a PID or a number)",
			    arg);
	name = formatted(NETNS_DIR "/%s", arg);
	netns->path = strchr(arg, '/') ? copy_of(arg, strlen(arg)) : host_root(name);
	free(name);
	if (!stat(netns->path, &stats))
		netns->number = stats.st_ino;
	else if (errno != EACCES && errno != EPERM)
		usage_error("no such network namespace", arg);
}

/**
 * netns_number() - the inode number of the network namespace that an option names
 * @arg: as netns_find()'s
 *
 * Return: the number.
 */
u64 netns_number(const char *arg)
{
	struct netns netns;

	netns_find(&netns, arg);
	if (!netns.number && netns.pid)
		die("cannot look at the network namespace of process %llu: %s",
		    netns.pid, strerror(errno));
	if (!netns.number)
		die("cannot look at the network namespace '%s': %s", arg,
		    strerror(errno));
	free(netns.path);
	return netns.number;
}

/**
 * struct known - a network namespace that has a name
 * @number: its inode number
 * @name: its name
 */
struct known {
	u64 number;
	char *name;
};

/* What "ip netns" knows; ends with one that has no name. */
static struct known *read_names(void)
{
	char *path = host_root(NETNS_DIR);
	DIR *dir = opendir(path);
	struct known *known = more(NULL, 1, sizeof(*known));
	struct dirent *entry;
	struct stat stats;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &stats, 0))
			continue;
		known[count].number = stats.st_ino;
		known[count++].name = copy_of(entry->d_name, strlen(entry->d_name));
		known = more(known, count + 1, sizeof(*known));
	}
	known[count].name = NULL;
	if (dir)
		closedir(dir);
	free(path);
	return known;
}

/**
 * netns_name() - the name of a network namespace
 * @number: its inode number
 *
 * Return: what "ip netns" calls it; NULL if that does not know it.
 */
const char *netns_name(u64 number)
{
	static struct known *names;
	const struct known *known;

	if (!names)
		names = read_names();
	for (known = names; known->name; known++)
		if (known->number == number)
			return known->name;
	return NULL;
}
