// SPDX-License-Identifier: GPL-2.0
/*
 * sessions COUNT: makes that many TCP sessions on the loopback (connect, 10
 * bytes, close), one after the other, and prints the nanoseconds they took.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void session(const struct sockaddr_in *address, int listener)
{
	int client = socket(AF_INET, SOCK_STREAM, 0);
	char buffer[16];
	int server;

	if (connect(client, (const struct sockaddr *)address, sizeof(*address)))
		err(1, "connect");
	server = accept(listener, NULL, NULL);
	if (server < 0)
		err(1, "accept");
	if (write(client, "0123456789", 10) != 10 ||
	    read(server, buffer, sizeof(buffer)) != 10)
		err(1, "10 bytes");
	close(client);
	close(server);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int i, count = argc == 2 ? atoi(argv[1]) : 0;
	long long begin;

	if (count <= 0)
		errx(2, "usage: sessions COUNT");
	if (bind(listener, (struct sockaddr *)&address, length) ||
	    listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		err(1, "listen");
	/* The first ones meet cold caches of the kernel's. */
	for (i = 0; i < 100; i++)
		session(&address, listener);
	begin = now();
	for (i = 0; i < count; i++)
		session(&address, listener);
	printf("%lld\n", now() - begin);
	return 0;
}
