// SPDX-License-Identifier: GPL-2.0
/*
 * --state: where the last run ended, so that the next one goes on from there.
 *
 * SEQ counts for as long as the module is loaded, in the view of whoever reads. So
 * the file has what tells one such count from another: the boot, the module's
 * directory in sysfs (whose inode number is never used again), the namespace, the
 * user. What does not fit is as no file at all: all that is known is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/file.h"
#include "../lib/host.h"
#include "../lib/say.h"
#include "tcplife.h"

#define STATE_MAX	512

static const char *state_path;
/* All that SEQ depends on. */
static char *state_source;
/* The last row that has been looked at; and that is printed, if it was to be. */
static u64 reached, printed;
/* What the file has. */
static u64 saved;

static u64 inode_of(char *path)
{
	struct stat stats;
	u64 inode = stat(path, &stats) ? 0 : stats.st_ino;

	free(path);
	return inode;
}

static void which_boot(char *id, size_t size)
{
	char *path = host_proc("sys/kernel/random/boot_id");
	FILE *file = fopen(path, "re");

	if (!file || !fgets(id, size, file))
		snprintf(id, size, "-");
	id[strcspn(id, "\n ")] = '\0';
	if (file)
		fclose(file);
	free(path);
}

static bool state_read(char *text, size_t size)
{
	int fd = open(state_path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return false;
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n < 0) {
		say("cannot read %s: %s", state_path, strerror(errno));
		exit(1);
	}
	close(fd);
	text[n] = '\0';
	return true;
}

/**
 * state_begin() - go on where the last run ended
 * @path: the file that says where
 */
void state_begin(const char *path)
{
	char boot[64];

	state_path = path;
	which_boot(boot, sizeof(boot));
	state_source = formatted("tcplife %s %llu %llu %u", boot,
				 inode_of(formatted(KNETSTAT_ROOT "/sys/module/knetstat")),
				 inode_of(host_process("ns/net")), geteuid());
}

/**
 * state_knows() - what was the last row of the run before
 * @seq: set to its SEQ
 *
 * Return: whether that is known.
 */
bool state_knows(u64 *seq)
{
	size_t len = strlen(state_source);
	char text[STATE_MAX];
	const char *p;

	if (!state_read(text, sizeof(text)))
		return false;
	if (strncmp(text, "tcplife ", 8)) {
		say("%s: not a file of tcplife's --state", state_path);
		exit(2);
	}
	if (strncmp(text, state_source, len) || text[len] != ' ')
		return false;
	p = take_number(text + len + 1, seq);
	if (!p || *p != '\n')
		return false;
	saved = *seq;
	reached = *seq;
	printed = *seq;
	return true;
}

/**
 * state_reached() - a row has been looked at
 * @seq: its SEQ
 */
void state_reached(u64 seq)
{
	reached = seq;
}

/**
 * state_printed() - all rows up to the last one that was reached are printed
 */
void state_printed(void)
{
	printed = reached;
}

/**
 * state_save() - have the next run go on behind what is printed
 *
 * Called at the end, whatever that is; and now and then by who goes on.
 *
 * Return: whether that is written; if not, it has been said.
 */
bool state_save(void)
{
	char *temporary, *line;
	bool written;
	int fd;

	if (!state_path || printed == saved)
		return true;
	temporary = formatted("%s.XXXXXX", state_path);
	line = formatted("%s %llu\n", state_source, printed);
	fd = mkostemp(temporary, O_CLOEXEC);
	written = fd >= 0 && file_replace(fd, temporary, state_path, 0600, word_of(line), true);
	if (!written)
		say("cannot write %s: %s", state_path, strerror(errno));
	free(temporary);
	free(line);
	/* What failed is not tried again. */
	saved = printed;
	return written;
}
