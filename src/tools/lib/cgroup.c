// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroups (v2).
 *
 * A cgroup's id is the inode number of its directory, so one walk through the file
 * system tells all of them. Numbers are not used again, so what is known stays true
 * of a cgroup that has gone; and for one that is younger than the walk, that is done
 * again, but not more often than ten times a second.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "field.h"
#include "host.h"
#include "say.h"
#include "text.h"

/**
 * struct cgroup - a cgroup whose path is known
 * @next: another one in the same bucket
 * @id: its id
 * @path: its path, from the root of the hierarchy
 * @wanted: it is the one that is asked for, or in there
 */
struct cgroup {
	struct cgroup *next;
	u64 id;
	char *path;
	bool wanted;
};

#define BUCKETS	4096

/* When more are known than this, those that have gone are forgotten. */
#define CGROUPS_MAX	65536

static struct cgroup *cgroups[BUCKETS];
static size_t cgroup_count;

/* Where the hierarchy is mounted; NULL: nowhere. As it is there, and from here. */
static char *mount_there;
static char *mount_point;
/* The path of the cgroup that is asked for, without a slash at its end. */
static char *wanted_path;

/* Finds where cgroup v2 is mounted: alone, or beside v1 ("unified"). */
static void find_mount(void)
{
	char *path = host_process("mountinfo");
	FILE *file = fopen(path, "re");
	char *line = NULL, *point, *type, *root = NULL;
	struct word bytes;
	bool whole = false;
	size_t size = 0;
	int i;

	while (file && !whole && getline(&line, &size, file) > 0) {
		/* ID parent device root mount-point options ... - type ... */
		type = strstr(line, " - ");
		if (!type || strncmp(type + 3, "cgroup2 ", 8))
			continue;
		*type = '\0';
		point = strtok(line, " ");
		for (i = 0; point && i < 4; i++) {
			root = point;
			point = strtok(NULL, " ");
		}
		if (!point)
			continue;
		/* A part of it may be mounted, too; but all of it is better. */
		whole = !strcmp(root, "/");
		if ((mount_there && !whole) || !unescape(word_of(point), &bytes))
			continue;
		free(mount_there);
		mount_there = copy_of(bytes.at, bytes.len);
	}
	if (mount_there)
		mount_point = host_root(mount_there);
	free(line);
	if (file)
		fclose(file);
	free(path);
}

static void forget_all(void)
{
	struct cgroup *cgroup, *next;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		for (cgroup = cgroups[i]; cgroup; cgroup = next) {
			next = cgroup->next;
			free(cgroup->path);
			free(cgroup);
		}
		cgroups[i] = NULL;
	}
	cgroup_count = 0;
}

static struct cgroup *find(u64 id)
{
	struct cgroup *cgroup = cgroups[id % BUCKETS];

	while (cgroup && cgroup->id != id)
		cgroup = cgroup->next;
	return cgroup;
}

static bool is_wanted(const char *path)
{
	size_t len = wanted_path ? strlen(wanted_path) : 0;

	return wanted_path && !strncmp(path, wanted_path, len) &&
	       (!path[len] || path[len] == '/');
}

static void add(u64 id, const char *path)
{
	struct cgroup *cgroup = find(id);

	if (cgroup && !strcmp(cgroup->path, path))
		return;
	if (cgroup) {
		free(cgroup->path);
	} else {
		cgroup = more(NULL, 1, sizeof(*cgroup));
		cgroup->id = id;
		cgroup->next = cgroups[id % BUCKETS];
		cgroups[id % BUCKETS] = cgroup;
		cgroup_count++;
	}
	cgroup->path = copy_of(path, strlen(path));
	cgroup->wanted = is_wanted(path);
}

/* Adds all that is below the directory @fd, which is at @path; closes it. */
static void walk(int fd, struct text *path)
{
	size_t len = path->len;
	struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int below;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		text_add_str(path, "/");
		text_add(path, entry->d_name, strlen(entry->d_name) + 1);
		path->len--;		/* the NUL is not counted */
		add(entry->d_ino, path->data);
		below = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			walk(below, path);
		path->len = len;
	}
	closedir(dir);
}

static void walk_all(void)
{
	struct text path = { };
	struct stat stats;
	int fd;

	if (!mount_point)
		find_mount();
	if (!mount_point)
		return;
	if (cgroup_count > CGROUPS_MAX)
		forget_all();
	fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &stats))
		add(stats.st_ino, "/");
	walk(fd, &path);
	free(path.data);
}

/* The cgroup of an id, after another walk if that may help. */
static const struct cgroup *cgroup_of(u64 id)
{
	static long long walked = -1;
	const struct cgroup *cgroup;
	struct timespec now;
	long long tenths;

	cgroup = find(id);
	if (cgroup)
		return cgroup;
	clock_gettime(CLOCK_MONOTONIC, &now);
	tenths = now.tv_sec * 10LL + now.tv_nsec / 100000000;
	if (walked == tenths)
		return NULL;
	walked = tenths;
	walk_all();
	return find(id);
}

/**
 * cgroup_path() - the path of a cgroup
 * @id: its id
 *
 * Return: the path from the root of the hierarchy; NULL where it is not known.
 */
const char *cgroup_path(u64 id)
{
	const struct cgroup *cgroup = cgroup_of(id);

	return cgroup ? cgroup->path : NULL;
}

/* What of a path is below a directory; NULL: it isn't. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/') ?
	       path + len : NULL;
}

/**
 * cgroup_want() - ask for a cgroup and those below
 * @arg: its path, as cgroup_path() has it, or below the mount point
 */
void cgroup_want(const char *arg)
{
	const struct cgroup *cgroup = NULL;
	const char *path = arg;
	struct stat stats;
	char *full;

	if (!*arg)
		usage_error("no such cgroup", arg);
	find_mount();
	if (!mount_point)
		usage_error("no cgroup file system (version 2) is mounted", NULL);
	path = below(path, mount_point) ?: below(path, mount_there) ?: path;
	full = formatted("%s/%s", mount_point, path);
	/* However it is spelt: by the number, and then as the walk spells it. */
	if (!stat(full, &stats) && S_ISDIR(stats.st_mode))
		cgroup = cgroup_of(stats.st_ino);
	if (!cgroup)
		usage_error("no such cgroup", arg);
	free(full);
	wanted_path = strcmp(cgroup->path, "/") ?
		      copy_of(cgroup->path, strlen(cgroup->path)) : copy_of("", 0);
	/* The walk was before it was known what is wanted. */
	forget_all();
	walk_all();
}

/**
 * cgroup_wanted() - whether a cgroup is the one that is asked for, or below it
 * @id: its id
 *
 * Return: whether it is.
 */
bool cgroup_wanted(u64 id)
{
	const struct cgroup *cgroup = cgroup_of(id);

	return cgroup && cgroup->wanted;
}
