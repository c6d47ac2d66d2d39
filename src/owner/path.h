/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of Unix sockets, kept one behind the other. Pure code: no socket, no lock.
 */
#ifndef KNETSTAT_OWNER_PATH_H
#define KNETSTAT_OWNER_PATH_H

#include <linux/types.h>
#include <linux/un.h>

#include "array.h"

/* A name is kept as so many pieces of this size as it takes. */
#define OWNER_PATH_PIECE	16

/* Room for any name, in whole pieces. */
#define OWNER_PATH_ROOM		(UNIX_PATH_MAX + OWNER_PATH_PIECE - 1)

/**
 * struct owner_path - a name that is kept
 * @first: the number of its first piece
 * @length: how many bytes it has, at most UNIX_PATH_MAX; 0: there is none
 *
 * That of an abstract one includes the NUL that it begins with; that of a path does not
 * include the NUL that may end it.
 */
struct owner_path {
	u32 first;
	u8 length;
};

/**
 * struct owner_paths - all names
 * @pieces: of OWNER_PATH_PIECE bytes each
 * @last: the name that was added last
 */
struct owner_paths {
	struct owner_array pieces;
	struct owner_path last;
};

void owner_paths_init(struct owner_paths *paths, struct owner_memory *memory);
int owner_path_add(struct owner_paths *paths, struct owner_path *path, const char *name,
		   unsigned int length);
void owner_path_get(const struct owner_paths *paths, struct owner_path path,
		    char *name);

/* Frees them all. */
static inline void owner_paths_free(struct owner_paths *paths)
{
	owner_array_free(&paths->pieces);
}

#endif /* KNETSTAT_OWNER_PATH_H */
