// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces: which one, and where its tables are.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/host.h"
#include "../lib/lists.h"
#include "../lib/say.h"
#include "sockstat.h"

#define NETNS_DIR	"/run/netns"
#define OWN_NETNS	PROC "/self/ns/net"

/* The number of the namespace that is asked for; nothing: not known. */
struct word own_netns;

/**
 * parse_netns() - the network namespace that an option names
 * @arg: a name, a PID, or "all"
 */
void parse_netns(const char *arg)
{
	opt.netns = NULL;
	opt.netns_pid = 0;
	opt.all_netns = !strcmp(arg, "all");
	if (opt.all_netns ||
	    (parse_number(word_of(arg), INT_MAX, &opt.netns_pid) && opt.netns_pid))
		return;
	if (!*arg || strchr(arg, '/') || !strcmp(arg, ".") ||
	    !strcmp(arg, "..") || !arg[strspn(arg, "0123456789")])
		usage_error("bad network namespace (a name, a PID, or all)", arg);
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
	char *name, *path;

	if (opt.netns) {
		name = formatted(NETNS_DIR "/%s", opt.netns);
		path = host_root(name);
		free(name);
		return path;
	}
	if (opt.netns_pid)
		return host_proc("%llu/ns/net", opt.netns_pid);
	return host_process("ns/net");
}

/* The /proc/net of the namespace, once it has been entered if that is needed. */
static char *netns_proc(void)
{
	char *path, *tcp;

	if (opt.netns)
		return host_proc("%s", host_is_other() ? "self/net" : "net");
	if (!opt.netns_pid)
		return host_proc("%s", host_is_other() ? "1/net" : "net");
	path = host_proc("%llu/net", opt.netns_pid);
	tcp = formatted("%s/tcp", path);
	/* Any other of its files will tell whether only ours is missing. */
	if (access(tcp, F_OK)) {
		say("no process %llu", opt.netns_pid);
		exit(2);
	}
	free(tcp);
	return path;
}

/*
 * The congestion control of sockets that name none, in the namespace that this
 * program is in; another host's is not known.
 */
static const char *usual_congestion(void)
{
	static const char path[] =
		PROC "/sys/net/ipv4/tcp_congestion_control";
	static char name[64];
	ssize_t n;
	char *p;
	int fd;

	if (host_is_other() && !opt.netns)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
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

/* Whether the tables of sockets are needed. */
static bool joins(void)
{
	return opt.shown & JOINED_BITS || opt.trouble || opt.wish_count;
}

static const struct {
	const char *name;
	unsigned int protos;
} tables[] = {
	{ "tcpstat",	BIT(TCP4) },
	{ "tcp6stat",	BIT(TCP4) | BIT(TCP6) | BIT(TCP46) },
	{ "udpstat",	BIT(UDP4) },
	{ "udp6stat",	BIT(UDP4) | BIT(UDP6) | BIT(UDP46) },
};

static bool open_if_there(struct table *table, const char *dir, const char *name)
{
	if (table_open(table, formatted("%s/%s", dir, name)))
		return true;
	free(table->path);
	return false;
}

/*
 * Opens the tables of a namespace that are needed, from its directory; without
 * ipv6 (ipv6.disable=1) half of them isn't there. Returns how many.
 */
static size_t open_joined(const char *dir, struct table *opened, bool must)
{
	size_t count = 0, i;

	memset(opened, 0, ARRAY_SIZE(tables) * sizeof(*opened));
	/* What is in trouble is in one table. */
	if (opt.trouble && open_if_there(&opened[0], dir, "socktrouble"))
		return 1;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!(opt.protos & tables[i].protos))
			continue;
		if (must && !count && i % 2 == 0) {
			table_must_open(&opened[count++],
					formatted("%s/%s", dir, tables[i].name));
			continue;
		}
		count += open_if_there(&opened[count], dir, tables[i].name);
	}
	return count;
}

static void set_own_netns(const char *path)
{
	struct stat stats;
	char *number;

	if (stat(path, &stats))
		return;
	number = formatted("%llu", (u64)stats.st_ino);
	own_netns = word_of(number);
}

/* Where unixowner is, if it is asked for. */
static char *unix_path;

/**
 * open_unix() - open unixowner, when all other rows have been read
 */
void open_unix(void)
{
	rows_open(unix_path, ROWS_UNIX);
}

/**
 * open_tables() - open what is to be read, in the namespace where it is
 *
 * And come back: users are to be looked up from here.
 */
void open_tables(void)
{
	bool enter = opt.netns || (opt.netns_pid && opt.shown & BIT(C_CC));
	char *path = netns_path(), *dir = netns_proc();
	struct table joined[ARRAY_SIZE(tables)];
	const char *usual = NULL;
	size_t count = 0, i;
	int home = -1;

	set_own_netns(path);
	if (enter) {
		home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
		if (home < 0)
			bad_netns();
		enter_netns(path);
	}
	if (opt.protos & ~UNIX_BITS)
		rows_open(formatted("%s/sockowner", dir), ROWS_INET);
	if (opt.protos & UNIX_BITS)
		unix_path = formatted("%s/unixowner", dir);
	if (joins()) {
		if (opt.shown & BIT(C_CC) && opt.protos & TCP_BITS)
			usual = usual_congestion();
		count = open_joined(dir, joined, true);
	}
	if (enter && setns(home, CLONE_NEWNET))
		die("cannot return to this network namespace: %s",
		    strerror(errno));
	join_begin();
	for (i = 0; i < count; i++)
		join_read(own_netns, &joined[i], usual);
	free(path);
	free(dir);
}

/* The namespaces that are not the own one whose tables have been looked for. */
static struct {
	struct word number;
	bool found;
} *others;
static size_t other_count;

/**
 * netns_tables() - have the tables of a row's namespace read
 * @row: the row
 *
 * Another namespace's are reached through a process of it; the one that holds the
 * socket is, as a rule.
 *
 * Return: whether they have been read.
 */
bool netns_tables(const struct row *row)
{
	struct table joined[ARRAY_SIZE(tables)];
	struct word number = row->netns;
	char *path, *dir, inode[32];
	struct stat stats;
	size_t count, i;

	if (!number.len || (number.len == own_netns.len &&
			    !memcmp(number.at, own_netns.at, number.len)))
		return true;
	for (i = 0; i < other_count; i++)
		if (others[i].number.len == number.len &&
		    !memcmp(others[i].number.at, number.at, number.len))
			break;
	if (i < other_count && others[i].found)
		return true;
	if (!row->pid)
		return false;
	if (i == other_count) {
		others = more(others, other_count + 1, sizeof(*others));
		others[other_count].number = (struct word){
			copy_of(number.at, number.len), number.len
		};
		others[other_count++].found = false;
	}
	path = host_proc("%llu/ns/net", row->pid);
	if (!stat(path, &stats)) {
		snprintf(inode, sizeof(inode), "%llu", (u64)stats.st_ino);
		others[i].found = word_is(number, inode);
	}
	free(path);
	if (!others[i].found)
		return false;
	dir = host_proc("%llu/net", row->pid);
	count = open_joined(dir, joined, false);
	free(dir);
	for (i = 0; i < count; i++)
		join_read(number, &joined[i], NULL);
	return true;
}

/**
 * netns_name() - the name of a network namespace
 * @number: its number
 *
 * Return: what "ip netns" calls it; NULL if that does not know it.
 */
const char *netns_name(struct word number)
{
	static struct {
		char *name;
		char number[24];
	} *known;
	static size_t count;
	static bool looked;
	struct dirent *entry;
	struct stat stats;
	char *path;
	size_t i;
	DIR *dir;

	if (!looked) {
		looked = true;
		path = host_root(NETNS_DIR);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			if (*entry->d_name == '.' ||
			    fstatat(dirfd(dir), entry->d_name, &stats, 0))
				continue;
			known = more(known, count + 1, sizeof(*known));
			known[count].name = copy_of(entry->d_name, strlen(entry->d_name));
			snprintf(known[count].number, sizeof(known->number), "%llu",
				 (u64)stats.st_ino);
			count++;
		}
		if (dir)
			closedir(dir);
		free(path);
	}
	for (i = 0; i < count; i++)
		if (word_is(number, known[i].number))
			return known[i].name;
	return NULL;
}
