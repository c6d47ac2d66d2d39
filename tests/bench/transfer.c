// SPDX-License-Identifier: GPL-2.0
/*
 * transfer: sessions on the loopback between two processes, that live.
 *
 *	bulk BYTES PIECE    one that transfers BYTES, read PIECE at a time
 *	ask COUNT SIZE      one with COUNT requests and answers of SIZE bytes each
 *	keep COUNT          COUNT that do nothing, in a namespace of their own, until
 *	                    the standard input ends; says "ready"
 *
 * The first two print the nanoseconds that it took, connecting not included.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int listening(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (struct sockaddr *)address, length) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)address, &length))
		err(1, "listen");
	return fd;
}

static int connected(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		err(1, "connect");
	return fd;
}

static int accepted(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	return fd;
}

static void all_in(int fd, long size)
{
	if (recv(fd, buffer, size, MSG_WAITALL) != size)
		err(1, "read");
}

static void all_out(int fd, long size)
{
	if (send(fd, buffer, size, 0) != size)
		err(1, "write");
}

static void bulk(int fd, bool reads, long bytes, long piece)
{
	long done;

	for (done = 0; done < bytes; done += piece) {
		if (reads)
			all_in(fd, piece);
		else
			all_out(fd, piece);
	}
}

static void ask(int fd, bool answers, long count, long size)
{
	while (count--) {
		if (!answers)
			all_out(fd, size);
		all_in(fd, size);
		if (answers)
			all_out(fd, size);
	}
}

/* Who measures is who reads, or asks: it sees the end. */
static int measured(bool is_bulk, long count, long size)
{
	struct sockaddr_in address;
	int listener = listening(&address);
	long long begin;
	pid_t child;
	int fd;

	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		fd = connected(&address);
		if (is_bulk)
			bulk(fd, 0, count, size);
		else
			ask(fd, 1, count, size);
		_exit(0);
	}
	fd = accepted(listener);
	begin = now();
	if (is_bulk)
		bulk(fd, 1, count, size);
	else
		ask(fd, 0, count, size);
	printf("%lld\n", now() - begin);
	return waitpid(child, NULL, 0) != child;
}

static int keep(int count)
{
	struct rlimit files = { 2 * count + 16, 2 * count + 16 };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in address;
	int listener, i;

	if (setrlimit(RLIMIT_NOFILE, &files) || unshare(CLONE_NEWNET))
		err(1, "a namespace with %d sessions", count);
	listener = listening(&address);
	if (ioctl(listener, SIOCSIFFLAGS, &lo))
		err(1, "lo");
	for (i = 0; i < count; i++) {
		connected(&address);
		accepted(listener);
	}
	puts("ready");
	fflush(stdout);
	return read(STDIN_FILENO, buffer, 1) != 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "bulk"))
		return measured(1, atol(argv[2]), atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "ask"))
		return measured(0, atol(argv[2]), atol(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "keep"))
		return keep(atoi(argv[2]));
	errx(2, "usage: transfer bulk BYTES PIECE | ask COUNT SIZE | keep COUNT");
}
