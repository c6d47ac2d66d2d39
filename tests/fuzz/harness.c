// SPDX-License-Identifier: GPL-2.0
/*
 * A program of ours for libFuzzer: its options and all that it reads are the input.
 *
 * The input's first line is the options, separated by blanks. What follows a line
 * "@PATH" is the content of that file below /proc; of "@stdin" and "@state" that of
 * stdin, and of a file named so in the program's working directory.
 *
 * The program ends in many places and leaves everything to the kernel then. So each
 * input has a process of its own, a fork of this one, which brings back what it covered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define ARGS_MAX	64
#define NOBODY		65534
/* What a sanitizer ends it with; no program of ours does. */
#define CAUGHT		99

/* After so many there is nothing new to wait for: of a file one never waits in vain. */
#define POLLS_MAX	20

static const char * const files[] = {
	"proc/net/tcpstat", "proc/net/tcp6stat", "proc/net/udpstat", "proc/net/udp6stat",
	"proc/net/socktrouble", "proc/net/tcplife", "proc/net/tcplive", "proc/net/tcpports",
	"proc/net/sockowner", "proc/net/unixowner", "proc/net/stat/tcplife",
	"proc/self/mountinfo", "proc/1/cmdline", "proc/sys/kernel/random/boot_id",
	"rw/state", "rw/stdin",
};

static bool written[ARRAY_SIZE(files)];

static unsigned char *covered;

/* Of the name behind "@"; a short one stands for the file that ends so. */
static int find_file(const char *name, size_t len)
{
	size_t i, whole;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		whole = strlen(files[i]);
		if (len && len < whole && !memcmp(files[i] + whole - len, name, len) &&
		    files[i][whole - len - 1] == '/')
			return i;
	}
	return -1;
}

static void must(bool well, const char *what)
{
	if (well)
		return;
	perror(what);
	abort();
}

static void write_file(int which, const char *data, size_t size)
{
	int fd = open(files[which], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, files[which]);
	close(fd);
	written[which] = true;
}

/* Writes all files; returns where the options end. */
static size_t write_files(const char *data, size_t size)
{
	const char *end = data + size, *line = data, *next, *begin = NULL;
	size_t options = size;
	int which = -1, found;

	for (; line < end; line = next) {
		next = memchr(line, '\n', end - line);
		next = next ? next + 1 : end;
		if (line == data)
			options = next - data;
		if (line == data || *line != '@' || next[-1] != '\n')
			continue;
		found = find_file(line + 1, next - line - 2);
		if (found < 0)
			continue;
		if (which >= 0)
			write_file(which, begin, line - begin);
		which = found;
		begin = next;
	}
	if (which >= 0)
		write_file(which, begin, end - begin);
	return options;
}

/* What the last input had and this one has not. */
static void remove_files(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (written[i])
			unlink(files[i]);
	memset(written, 0, sizeof(written));
}

/* Runs behind what the program has for its end, and before libFuzzer's, which wants none. */
static void bring_back(int status, void *unused)
{
	(void)unused;
	memcpy(covered, counters, counters_end - counters);
	fflush(NULL);
	_exit(status);
}

static int run_program(const char *options, size_t size)
{
	static char text[4096], name[] = "program";
	struct rlimit small = { 1 << 20, 1 << 20 };
	char *argv[ARGS_MAX + 2] = { name }, *at;
	int argc = 1, fd;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, options, size);
	for (at = strtok(text, "\n "); at && argc <= ARGS_MAX; at = strtok(NULL, "\n "))
		argv[argc++] = at;
	argv[argc] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may write what and where an option says. */
	setrlimit(RLIMIT_FSIZE, &small);
	if (!geteuid())
		must(!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
		     !setresuid(NOBODY, NOBODY, NOBODY), "no longer root");
	must(!chdir("rw"), "rw");
	fd = open("stdin", O_RDONLY);
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	close(fd);
	fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDOUT_FILENO);
	/* Its complaints are in the way of a sanitizer's, which are what matters. */
	if (!getenv("FUZZ_SHOW"))
		dup2(fd, STDERR_FILENO);
	close(fd);
	on_exit(bring_back, NULL);
	return program_main(argc, argv);
}

/* What the program calls instead of poll(). */
int program_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	static int polls;

	if (polls++ >= POLLS_MAX)
		exit(0);
	return poll(fds, count, timeout);
}

int fuzz_begin(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	covered = mmap(NULL, counters_end - counters,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(covered != MAP_FAILED, "mmap");
	must(!chdir(KNETSTAT_ROOT), KNETSTAT_ROOT);
	return 0;
}

int fuzz_one(const unsigned char *data, size_t size)
{
	size_t options = write_files((const char *)data, size);
	int status = 0;
	pid_t pid;

	memset(covered, 0, counters_end - counters);
	fflush(NULL);
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid)
		exit(run_program((const char *)data, options));
	while (waitpid(pid, &status, 0) < 0)
		must(errno == EINTR, "waitpid");
	memcpy(counters, covered, counters_end - counters);
	remove_files();
	if (WIFSIGNALED(status) || WEXITSTATUS(status) == CAUGHT) {
		fprintf(stderr, "the program ended with status %#x\n", status);
		abort();
	}
	return 0;
}
