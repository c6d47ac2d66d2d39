// SPDX-License-Identifier: GPL-2.0
/*
 * Where the tables of a network namespace are, or of all.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/host.h"
#include "../lib/lists.h"
#include "../lib/netns.h"
#include "../lib/say.h"
#include "sockstat.h"

#define OWN_NETNS	PROC "/self/ns/net"

/* The namespace's inode number, if it is one; 0: not known. */
u64 netns_number_shown;

/* Our own namespace, to come back to; -1: not left yet. */
static int home = -1;

static bool enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	if (home < 0)
		home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	error = home < 0 || setns(fd, CLONE_NEWNET) ? errno : 0;
	close(fd);
	errno = error;
	return !error;
}

/* What cannot be entered may be a mistake of the user's, or not be allowed. */
static void must_enter(const struct netns *netns)
{
	int status;

	if (enter(netns->path))
		return;
	status = errno == EPERM || errno == EACCES ? 1 : 2;
	if (netns->pid)
		say("cannot enter the network namespace of process %llu: %s",
		    netns->pid, strerror(errno));
	else
		say("cannot enter the network namespace '%s': %s",
		    opt.netns ?: SHOWN(netns->path), strerror(errno));
	exit(status);
}

static void go_home(void)
{
	if (setns(home, CLONE_NEWNET))
		die("cannot return to this network namespace: %s", strerror(errno));
}

/* The congestion control of sockets that name none, in the namespace we are in. */
static const char *usual_congestion(void)
{
	char *path = host_proc("sys/net/ipv4/tcp_congestion_control"), name[64], *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);

	if (n < 0)
		die("cannot read %s: %s", SHOWN(path), strerror(errno));
	close(fd);
	free(path);
	name[n] = '\0';
	name[strcspn(name, "\n ")] = '\0';
	for (p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return copy_of(name, sizeof(name));
}

static bool wants_cc(void)
{
	return opt.shown & BIT(C_CC) && opt.protos & TCP_BITS;
}

/* Opens the tables of the namespace that a process is in, unless that is known already. */
static void open_of_process(u64 pid)
{
	static u64 *known;
	static size_t known_count;
	char *path = host_proc("%llu/ns/net", pid), *dir = host_proc("%llu/net", pid);
	const char *usual = NULL;
	struct stat stats;
	size_t i = 0;

	if (!stat(path, &stats) &&
	    (!opt.netns_only || opt.netns_only == stats.st_ino)) {
		while (i < known_count && known[i] != stats.st_ino)
			i++;
		if (i == known_count) {
			known = more(known, known_count + 1, sizeof(*known));
			known[known_count++] = stats.st_ino;
			if (wants_cc() && enter(path)) {
				usual = usual_congestion();
				go_home();
			}
			join_open(dir, usual, stats.st_ino);
			join_read();
		}
	}
	free(path);
	free(dir);
}

/* A namespace's tables are found through a process that is in there. */
static void open_all(void)
{
	char *path = host_proc(".");
	DIR *dir = opendir(path);
	struct dirent *entry;
	u64 pid;

	if (!dir)
		die("cannot read %s: %s", SHOWN(path), strerror(errno));
	while ((entry = readdir(dir)))
		if (parse_number(word_of(entry->d_name), INT_MAX, &pid))
			open_of_process(pid);
	closedir(dir);
	free(path);
}

/* Where the tables are; @entered: of the namespace that we are in. */
static char *tables_dir(const struct netns *netns, bool entered)
{
	if (netns->pid)
		return host_proc("%llu/net", netns->pid);
	return host_proc(host_is_other() && !entered ? "1/net" : "net");
}

/**
 * open_tables() - open what is to be read, in the namespace where it is
 *
 * And come back: users are to be looked up from here.
 */
void open_tables(void)
{
	struct netns netns = { };
	const char *usual = NULL;
	struct stat stats;
	bool entered;
	char *dir;

	if (opt.netns) {
		netns_find(&netns, opt.netns);
	} else {
		netns.path = host_process("ns/net");
		if (!stat(netns.path, &stats))
			netns.number = stats.st_ino;
	}
	netns_number_shown = netns.number;
	opt.netns_by_number = !netns.path;
	if (!opt.all_netns)
		opt.netns_only = netns.number;
	/* By a process its files can be had; but not what is in /proc/sys. */
	entered = netns.path && !opt.all_netns &&
		  ((opt.netns && !netns.pid) ||
		   (wants_cc() && (netns.pid || host_is_other())));
	if (entered)
		must_enter(&netns);
	dir = tables_dir(&netns, opt.netns && entered);
	rows_open(dir);
	if (tables_wanted() && !opt.all_netns && !opt.netns_by_number) {
		if (wants_cc())
			usual = usual_congestion();
		join_open(dir, usual, 0);
	}
	if (entered)
		go_home();
	if (tables_wanted() && (opt.all_netns || opt.netns_by_number))
		open_all();
	join_read();
	free(netns.path);
	free(dir);
}
