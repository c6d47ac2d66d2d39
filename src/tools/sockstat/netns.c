// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/lists.h"
#include "../lib/say.h"
#include "sockstat.h"

#define NETNS_DIR	KNETSTAT_ROOT "/run/netns"
#define OWN_NETNS	PROC "/self/ns/net"

/* The namespace's inode number; 0: not known. */
u64 netns_inode;

/**
 * parse_netns() - the network namespace that an option names
 * @arg: a name, or a PID
 */
void parse_netns(const char *arg)
{
	opt.netns = NULL;
	opt.netns_pid = 0;
	if (parse_number(word_of(arg), INT_MAX, &opt.netns_pid) &&
	    opt.netns_pid)
		return;
	if (!*arg || strchr(arg, '/') || !strcmp(arg, ".") ||
	    !strcmp(arg, "..") || !arg[strspn(arg, "0123456789")])
		usage_error("bad network namespace (a name or a PID)", arg);
	opt.netns_pid = 0;
	opt.netns = arg;
}

/* What cannot be entered may be a mistake of the user's, or not be allowed. */
static noreturn void bad_netns(void)
{
	int status = errno == EPERM || errno == EACCES ? 1 : 2;

	if (opt.netns)
		say("cannot enter the network namespace '%s': %s", opt.netns,
		    strerror(errno));
	else
		say("cannot enter the network namespace of process %llu: %s",
		    opt.netns_pid, strerror(errno));
	exit(status);
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		bad_netns();
	close(fd);
}

/* Where the namespace is, which need not be ours. */
static char *netns_path(void)
{
	if (opt.netns)
		return formatted(NETNS_DIR "/%s", opt.netns);
	if (opt.netns_pid)
		return formatted(PROC "/%llu/ns/net", opt.netns_pid);
	return formatted(OWN_NETNS);
}

/* The /proc/net of the namespace, once it has been entered if that is needed. */
static char *netns_proc(void)
{
	char *path, *tcp;

	if (!opt.netns_pid)
		return formatted(PROC "/net");
	path = formatted(PROC "/%llu/net", opt.netns_pid);
	tcp = formatted("%s/tcp", path);
	/* Any other of its files will tell whether only ours is missing. */
	if (access(tcp, F_OK)) {
		say("no process %llu", opt.netns_pid);
		exit(2);
	}
	free(tcp);
	return path;
}

/* The congestion control of sockets that name none. */
static const char *usual_congestion(void)
{
	static const char path[] =
		PROC "/sys/net/ipv4/tcp_congestion_control";
	static char name[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	char *p;

	if (n < 0)
		die("cannot read %s: %s", SHOWN(path), strerror(errno));
	close(fd);
	name[n] = '\0';
	name[strcspn(name, "\n ")] = '\0';
	for (p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return name;
}

/**
 * open_tables() - open what is to be read, in the namespace where it is
 *
 * And come back: users are to be looked up from here.
 */
void open_tables(void)
{
	static struct table tcp, tcp6;
	bool cc = opt.shown & BIT(C_CC) && opt.protos & TCP_BITS;
	bool tcp6_too = false;
	bool enter = opt.netns || (opt.netns_pid && cc);
	char *path = netns_path(), *dir = netns_proc();
	const char *usual = NULL;
	struct stat stats;
	int home = -1;

	if (!stat(path, &stats))
		netns_inode = stats.st_ino;
	if (enter) {
		home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
		if (home < 0)
			bad_netns();
		enter_netns(path);
	}
	rows_open(formatted("%s/sockowner", dir));
	if (cc)
		usual = usual_congestion();
	if (cc && opt.protos & BIT(TCP4))
		table_must_open(&tcp, formatted("%s/tcpstat", dir));
	/* With ipv6.disable=1 it isn't there. */
	if (cc && opt.protos & BIT(TCP6))
		tcp6_too = table_open(&tcp6, formatted("%s/tcp6stat", dir));
	if (enter && setns(home, CLONE_NEWNET))
		die("cannot return to this network namespace: %s",
		    strerror(errno));
	if (tcp.path)
		congestion_read(&tcp, usual);
	if (tcp6_too)
		congestion_read(&tcp6, usual);
	congestion_sort();
	free(path);
	free(dir);
}
