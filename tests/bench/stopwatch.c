// SPDX-License-Identifier: GPL-2.0
/*
 * stopwatch: how long something takes by the guest's clock, which under
 * --icount is a count of the instructions that were run.
 *
 *	read FILE SIZE     open FILE and read all of it, SIZE bytes at a time
 *	run COMMAND...     run COMMAND with its output thrown away
 *	hold FILE COUNT    open FILE COUNT times and read a little from each
 *	late FILE COUNT [SIZE]
 *	                   open FILE COUNT times, and read all of it if SIZE is
 *	                   given, that many bytes at a time, and see how long a task
 *	                   that comes first may have to wait for the processor
 *	behind COMMAND...  the same, while COMMAND runs
 *
 * Prints numbers: "read" nanoseconds, bytes, lines and calls of read(2); "run"
 * nanoseconds; "hold" bytes of memory for each open file; "late" and "behind"
 * nanoseconds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int opened(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* The clock stands while the lines are counted: a file may be of any length. */
static int read_file(const char *path, size_t size)
{
	long calls = 0, lines = 0, bytes = 0;
	long long took, start;
	char *buffer, *line;
	ssize_t got;
	int fd;

	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffer == MAP_FAILED)
		err(1, "mmap");
	start = now();
	fd = opened(path);
	took = now() - start;
	do {
		start = now();
		got = read(fd, buffer, size);
		took += now() - start;
		if (got < 0)
			err(1, "%s", path);
		for (line = buffer; (line = memchr(line, '\n', buffer + got - line)); line++)
			lines++;
		bytes += got;
		calls++;
	} while (got);
	printf("%lld %ld %ld %ld\n", took, bytes, lines, calls);
	return 0;
}

static int run(char **argv)
{
	posix_spawn_file_actions_t actions;
	long long start, end;
	int error, status;
	pid_t pid;

	error = posix_spawn_file_actions_init(&actions);
	if (!error)
		error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
							 "/dev/null", O_WRONLY, 0);
	if (error)
		errx(1, "posix_spawn: %s", strerror(error));
	start = now();
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (error)
		errx(1, "%s: %s", argv[0], strerror(error));
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	end = now();
	if (status)
		errx(1, "%s: failed", argv[0]);
	printf("%lld\n", end - start);
	return 0;
}

/* What is free, in bytes: whatever an open file is made of, it came from there. */
static long long mem_free(void)
{
	char line[128];
	long long kib = -1;
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		err(1, "/proc/meminfo");
	while (kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %lld", &kib);
	fclose(f);
	if (kib < 0)
		errx(1, "/proc/meminfo has no MemFree");
	return kib * 1024;
}

static int hold(const char *path, int count)
{
	struct rlimit files = { count + 16, count + 16 };
	long long before;
	char buffer[512];
	int i;

	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "cannot have %d files", count);
	/* Whatever is made once and stays is there now. */
	if (read(opened(path), buffer, sizeof(buffer)) < 0)
		err(1, "%s", path);
	mem_free();
	before = mem_free();
	for (i = 0; i < count; i++) {
		if (read(opened(path), buffer, sizeof(buffer)) < 0)
			err(1, "%s", path);
	}
	printf("%lld\n", (before - mem_free()) / count);
	return 0;
}

/* This wakes every 20 us: on one processor it interrupts the child. */
static int wait_behind(pid_t child)
{
	static const struct sched_param first = { .sched_priority = 50 };
	const struct timespec step = { .tv_nsec = 20000 };
	long long worst = 0, before, passed;
	int status;

	if (child < 0)
		err(1, "fork");
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &first))
		err(1, "cannot be the first to run");
	while (!waitpid(child, &status, WNOHANG)) {
		before = now();
		clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
		passed = now() - before - step.tv_nsec;
		if (passed > worst)
			worst = passed;
	}
	if (status)
		errx(1, "what was to be waited for failed");
	printf("%lld\n", worst);
	return 0;
}

static int late(const char *path, int count, size_t size)
{
	char *buffer = malloc(size + 1);
	pid_t child = fork();
	ssize_t got;
	int fd;

	if (child)
		return wait_behind(child);
	if (!buffer)
		err(1, "malloc");
	while (count--) {
		fd = opened(path);
		do {
			got = size ? read(fd, buffer, size) : 0;
			if (got < 0)
				err(1, "%s", path);
		} while (got);
		close(fd);
	}
	_exit(0);
}

static int behind(char **argv)
{
	pid_t child = fork();

	if (child)
		return wait_behind(child);
	if (!freopen("/dev/null", "w", stdout))
		err(1, "/dev/null");
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "read"))
		return read_file(argv[2], atol(argv[3]));
	if (argc > 2 && !strcmp(argv[1], "run"))
		return run(argv + 2);
	if (argc > 2 && !strcmp(argv[1], "behind"))
		return behind(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(argv[2], atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "late"))
		return late(argv[2], atoi(argv[3]), 0);
	if (argc == 5 && !strcmp(argv[1], "late"))
		return late(argv[2], atoi(argv[3]), atol(argv[4]));
	errx(2, "usage: stopwatch read FILE SIZE | run COMMAND... | hold FILE COUNT | %s",
	     "late FILE COUNT [SIZE] | behind COMMAND...");
}
