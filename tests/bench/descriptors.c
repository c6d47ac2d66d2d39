// SPDX-License-Identifier: GPL-2.0
/*
 * descriptors PROCESSES FILES: processes of FILES descriptors each, none of them
 * a socket. Says "ready" when all are there, and keeps them until it is killed
 * or its parent is gone.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void hold(int files)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd < 0)
			err(1, "/dev/null");
	} while (fd < files - 1);
}

int main(int argc, char **argv)
{
	int i, ready[2];
	char byte;

	if (argc != 3)
		errx(2, "usage: descriptors PROCESSES FILES");
	if (pipe(ready))
		err(1, "pipe");
	for (i = 0; i < atoi(argv[1]); i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			hold(atoi(argv[2]));
			if (write(ready[1], "", 1) != 1)
				err(1, "pipe");
			for (;;)
				pause();
		}
		if (read(ready[0], &byte, 1) != 1)
			err(1, "pipe");
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
