// SPDX-License-Identifier: GPL-2.0
/*
 * What is looked up elsewhere than in the module's files.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/cgroup.h"
#include "../lib/host.h"
#include "sockstat.h"

/* How much is shown of a process's arguments. */
#define ARGS_MAX	4096

/**
 * arguments() - the arguments of a process
 * @pid: the process; the rows of a process follow each other
 *
 * Return: the arguments, with a NUL after each but the last; nothing if it has
 * none or is gone.
 */
struct word arguments(u64 pid)
{
	static char args[ARGS_MAX];
	static size_t len;
	static u64 last_pid;
	ssize_t n = 0;
	char *path;
	int fd;

	if (pid != last_pid) {
		last_pid = pid;
		len = 0;
		path = host_proc("%llu/cmdline", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			do {
				n = read(fd, args + len, sizeof(args) - len);
				len += n > 0 ? n : 0;
			} while (n > 0 && len < sizeof(args));
			close(fd);
		}
		free(path);
		while (len && !args[len - 1])
			len--;
	}
	return (struct word){ args, len };
}

/**
 * cgroup_field() - a cgroup as one field
 * @id: its id; the next one is likely the same
 *
 * Return: its path, escaped; its id where that is not known.
 */
struct word cgroup_field(u64 id)
{
	static struct text text;
	static u64 last_id;
	const char *path;

	if (id != last_id || !text.len) {
		last_id = id;
		text.len = 0;
		path = cgroup_path(id);
		if (path)
			text_add_escaped(&text, word_of(path), 0);
		else
			text_add_number(&text, id);
		text_reserve(&text, SLACK);
	}
	return (struct word){ text.data, text.len };
}
