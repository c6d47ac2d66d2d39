// SPDX-License-Identifier: GPL-2.0
/*
 * The names of Unix sockets. See path.h.
 */
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "path.h"

struct owner_path_piece {
	char bytes[OWNER_PATH_PIECE];
};

static_assert(UNIX_PATH_MAX <= U8_MAX);

/**
 * owner_paths_init() - there are no names yet
 * @paths: where they will be
 * @memory: where their memory comes from
 */
void owner_paths_init(struct owner_paths *paths, struct owner_memory *memory)
{
	owner_array_init(&paths->pieces, memory, struct owner_path_piece);
	paths->last = (struct owner_path){};
}

/**
 * owner_path_get() - fetch a name
 * @paths: all names
 * @path: the name
 * @name: where to; room for OWNER_PATH_ROOM, of which what is behind the name may be
 *	overwritten
 *
 * Context: Any.
 */
void owner_path_get(const struct owner_paths *paths, struct owner_path path,
		    char *name)
{
	unsigned int i;

	for (i = 0; i < path.length; i += OWNER_PATH_PIECE)
		memcpy(name + i,
		       owner_array_at(&paths->pieces, struct owner_path_piece,
				      path.first + i / OWNER_PATH_PIECE),
		       OWNER_PATH_PIECE);
}

/* All that one listener has accepted have its name, and mostly are found together. */
static bool owner_path_is_last(const struct owner_paths *paths, const char *name,
			       unsigned int length)
{
	char last[OWNER_PATH_ROOM];

	if (paths->last.length != length)
		return false;
	owner_path_get(paths, paths->last, last);
	return !memcmp(last, name, length);
}

/**
 * owner_path_add() - keep a name
 * @paths: all names
 * @path: set to it
 * @name: the name
 * @length: its length, at most UNIX_PATH_MAX
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_path_add(struct owner_paths *paths, struct owner_path *path, const char *name,
		   unsigned int length)
{
	struct owner_path_piece *piece;
	unsigned int i;
	int err;

	if (!length) {
		*path = (struct owner_path){};
		return 0;
	}
	if (!owner_path_is_last(paths, name, length)) {
		paths->last.first = paths->pieces.count;
		paths->last.length = length;
		for (i = 0; i < length; i += OWNER_PATH_PIECE) {
			piece = owner_array_add(&paths->pieces, &err);
			if (!piece)
				return err;
			memcpy(piece, name + i,
			       min_t(unsigned int, length - i, OWNER_PATH_PIECE));
		}
	}
	*path = paths->last;
	return 0;
}
