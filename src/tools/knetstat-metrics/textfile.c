// SPDX-License-Identifier: GPL-2.0
/*
 * A file for node_exporter's textfile collector, which may read it at any moment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/say.h"
#include "metrics.h"

#define FILE_NAME	"knetstat.prom"

static bool write_all(int fd, const struct text *text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? n : 0;
	}
	return true;
}

/**
 * write_textfile() - write a file that is there in full or not at all
 * @dir: the directory
 * @text: what is to be in there
 *
 * The collector reads no file of another name than *.prom.
 */
void write_textfile(const char *dir, const struct text *text)
{
	char *path = formatted("%s/" FILE_NAME, dir);
	char *part = formatted("%s/." FILE_NAME ".XXXXXX", dir);
	sigset_t ends;
	int fd, error;
	bool ok;

	/* Nothing is left behind: it is too short to be interrupted. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	/* Too large is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		die("cannot write in %s: %s", dir, strerror(errno));
	ok = !fchmod(fd, 0644) && write_all(fd, text);
	error = errno;
	if (close(fd) && ok) {
		error = errno;
		ok = false;
	}
	if (ok && rename(part, path)) {
		error = errno;
		ok = false;
	}
	if (!ok) {
		unlink(part);
		die("cannot write %s: %s", path, strerror(error));
	}
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	free(path);
	free(part);
}
