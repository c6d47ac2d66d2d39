// SPDX-License-Identifier: GPL-2.0
/*
 * The host that is looked at.
 *
 * An agent in a container finds the host's procfs at /host/proc, or wherever --proc
 * or HOST_PROC say. There "net" is a link to the reader's own "self/net": the host's
 * is that of process 1.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host.h"
#include "say.h"
#include "table.h"
#include "text.h"

/* The host's procfs; NULL: ours. */
static const char *proc_dir;
static bool proc_known;

/**
 * host_set_proc() - say where the host's procfs is
 * @dir: where
 */
void host_set_proc(const char *dir)
{
	struct stat stats;

	if (*dir != '/' || stat(dir, &stats) || !S_ISDIR(stats.st_mode))
		usage_error("no procfs (the absolute path of a directory)", dir);
	proc_dir = dir;
	proc_known = true;
}

/**
 * host_is_other() - whether the host's procfs is not our own
 *
 * Return: whether it is another one.
 */
bool host_is_other(void)
{
	const char *dir = getenv("HOST_PROC");

	if (!proc_known && dir && *dir && strcmp(dir, "/proc"))
		host_set_proc(dir);
	proc_known = true;
	return proc_dir;
}

/**
 * host_proc() - the path of something in the host's procfs
 * @format: what, as printf's
 *
 * Return: the path.
 */
char *host_proc(const char *format, ...)
{
	char *path, *rest = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&rest, format, args) < 0)
		die("out of memory");
	va_end(args);
	path = formatted("%s/%s", host_is_other() ? proc_dir : PROC, rest);
	free(rest);
	return path;
}

/**
 * host_process() - the path of a file of a process that sees the host as it is
 * @file: its name
 *
 * Return: the path.
 */
char *host_process(const char *file)
{
	return host_proc("%s/%s", host_is_other() ? "1" : "self", file);
}

/**
 * host_net() - the path of one of the module's files
 * @file: its name
 *
 * Return: the path.
 */
char *host_net(const char *file)
{
	return host_is_other() ? host_proc("1/net/%s", file) :
				 host_proc("net/%s", file);
}

/**
 * host_root() - the path of something in the host's file system
 * @path: where it is there
 *
 * Return: the path.
 */
char *host_root(const char *path)
{
	return host_is_other() ? host_proc("1/root%s", path) :
				 formatted(KNETSTAT_ROOT "%s", path);
}
