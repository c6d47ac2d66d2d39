// SPDX-License-Identifier: GPL-2.0
/*
 * A file for node_exporter's textfile collector, which may read it at any moment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/file.h"
#include "../lib/say.h"
#include "metrics.h"

#define FILE_NAME	"knetstat.prom"

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
	int fd;

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
	if (!file_replace(fd, part, path, 0644, (struct word){ text->data, text->len }, false))
		die("cannot write %s: %s", path, strerror(errno));
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	free(path);
	free(part);
}
