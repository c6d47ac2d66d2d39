// SPDX-License-Identifier: GPL-2.0
/*
 * sockets N TCP UDP: hold TCP sockets and UDP sockets, TCP being an even number
 * greater than 2, under addresses in 127.N.0.0/16 and a UID of its own. Says
 * "ready" when all are there, and holds them until it is killed or its parent
 * is gone.
 *
 * A mix as on a busy host: two listeners, and connections between them and
 * clients of which every fourth has keepalive times of its own, long enough for no
 * probe to be sent while something is measured; UDP sockets of which every second is
 * connected.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS	2
#define CLIENT_PORTS	20000
#define HOSTS		200

static unsigned int net;

static struct sockaddr_in address(unsigned int subnet, unsigned int host,
				  unsigned int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(127U << 24 | net << 16 | subnet << 8 |
					 host),
	};
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		err(1, "setsockopt %d:%d", level, option);
}

static int bound(int type, struct sockaddr_in addr)
{
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		err(1, "socket");
	if (type == SOCK_STREAM)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to port %d", ntohs(addr.sin_port));
	return fd;
}

static void connected(int fd, struct sockaddr_in addr)
{
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect to port %d", ntohs(addr.sin_port));
}

static void hold_tcp(int count)
{
	struct sockaddr_in server[LISTENERS];
	int i, fd, listener[LISTENERS];

	for (i = 0; i < LISTENERS; i++) {
		server[i] = address(1, 1 + i, 443);
		listener[i] = bound(SOCK_STREAM, server[i]);
		if (listen(listener[i], 128))
			err(1, "listen");
	}
	for (i = 0; i < (count - LISTENERS) / 2; i++) {
		fd = bound(SOCK_STREAM, address(2, 1 + i % HOSTS,
						CLIENT_PORTS + i / HOSTS));
		set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		if (i % 4 == 0) {
			set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 900);
			set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 900);
		}
		connected(fd, server[i % LISTENERS]);
		if (accept(listener[i % LISTENERS], NULL, NULL) < 0)
			err(1, "accept");
	}
}

static void hold_udp(int count)
{
	int i, fd;

	for (i = 0; i < count; i++) {
		/* Any port: as programs do, and spread as they are then. */
		fd = bound(SOCK_DGRAM, address(3, 1 + i % HOSTS, 0));
		if (i % 2)
			connected(fd, address(1, 1, 53));
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	int tcp, udp;

	if (argc != 4)
		errx(2, "usage: sockets N TCP UDP");
	net = atoi(argv[1]);
	tcp = atoi(argv[2]);
	udp = atoi(argv[3]);
	if (net < 1 || net > 255 || tcp <= LISTENERS || tcp % 2 || udp < 0)
		errx(2, "usage: sockets N TCP UDP");

	files.rlim_cur = tcp + udp + 16;
	files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "cannot have %d files", tcp + udp);
	/* A socket's owner is its inode's: fsuid. Ports below 1024 stay root's to use. */
	setfsuid(1000 + net);
	hold_tcp(tcp);
	hold_udp(udp);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
