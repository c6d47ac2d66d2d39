// SPDX-License-Identifier: GPL-2.0
/*
 * unixsockets N COUNT: hold Unix sockets, COUNT being a multiple of 20, under names and a
 * UID of its own. Says "ready" when all are there, and holds them until it is killed or
 * its parent is gone.
 *
 * A mix as on a busy host: of 20 there are a listener with 7 connections to it, a datagram
 * socket as a log's with one that is connected to it, and a pair; the rest are unbound.
 */
#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EACH		20
#define CONNECTIONS	7

static int made(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void bound(int fd, const struct sockaddr_un *addr)
{
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "bind to %s", addr->sun_path);
}

static void connected(int fd, const struct sockaddr_un *addr)
{
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "connect to %s", addr->sun_path);
}

static void hold(int net, int group)
{
	struct sockaddr_un door = { .sun_family = AF_UNIX };
	struct sockaddr_un log = { .sun_family = AF_UNIX };
	int i, fd, pair[2];

	snprintf(door.sun_path, sizeof(door.sun_path), "/run/unixsockets/%d/server.%d.socket",
		 net, group);
	snprintf(log.sun_path, sizeof(log.sun_path), "/run/unixsockets/%d/log.%d.socket",
		 net, group);
	fd = made(SOCK_STREAM);
	bound(fd, &door);
	if (listen(fd, CONNECTIONS))
		err(1, "listen");
	for (i = 0; i < CONNECTIONS; i++) {
		connected(made(SOCK_STREAM), &door);
		if (accept(fd, NULL, NULL) < 0)
			err(1, "accept");
	}
	bound(made(SOCK_DGRAM), &log);
	connected(made(SOCK_DGRAM), &log);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		err(1, "socketpair");
	for (i = 1 + 2 * CONNECTIONS + 4; i < EACH; i++)
		made(SOCK_SEQPACKET);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	int net, count, i;

	if (argc != 3)
		errx(2, "usage: unixsockets N COUNT");
	net = atoi(argv[1]);
	count = atoi(argv[2]);
	if (net < 1 || count < 0 || count % EACH)
		errx(2, "usage: unixsockets N COUNT");

	files.rlim_cur = count + 16;
	files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	/* Only for what it owns; it stays a process that root may look at. */
	setfsuid(1000 + net);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		err(1, "prctl");
	for (i = 0; i < count / EACH; i++)
		hold(net, i);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
