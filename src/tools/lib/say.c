// SPDX-License-Identifier: GPL-2.0
/*
 * What goes to stderr, and how a program begins.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "say.h"

static const char *program;

static void vsay(const char *format, va_list args)
{
	char line[512], *p;

	vsnprintf(line, sizeof(line), format, args);
	for (p = line; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	fprintf(stderr, "%s: %s\n", program, line);
}

/**
 * say() - one line on stderr, whatever happens to stdout
 * @format: as printf's; what would disturb a terminal is shown as '?'
 */
void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

/**
 * die() - say what is wrong, and end with status 1
 * @format: as say()'s
 */
void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
	exit(1);
}

/**
 * usage_error() - say which option is wrong, and end with status 2
 * @complaint: what is wrong
 * @arg: with what, or NULL
 */
void usage_error(const char *complaint, const char *arg)
{
	if (arg)
		say("%s: '%s'", complaint, arg);
	else
		say("%s", complaint);
	exit(2);
}

/**
 * program_begin() - to be called first
 * @argv: main's; getopt complains in the name that it gets here
 * @name: what the program is called
 *
 * What is opened from here on must not become one of the three descriptors that
 * others write to.
 */
void program_begin(char **argv, const char *name)
{
	int fd;

	program = name;
	if (*argv)
		argv[0] = (char *)name;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd == STDOUT_FILENO)
			die("cannot write: stdout is closed");
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}
