/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns that a row begins with, whose the socket is and who holds it, and what else
 * both files write. Pure code: no socket, no lock, any context.
 */
#ifndef KNETSTAT_OWNER_FRONT_H
#define KNETSTAT_OWNER_FRONT_H

#include <linux/string.h>

#include "field.h"
#include "found.h"

/* Where the columns begin; OWNER_FRONT_END is where the file's own do. */
enum {
	OWNER_UID	= 0,
	OWNER_PID	= OWNER_UID + 6,
	OWNER_COMM	= OWNER_PID + 8,
	OWNER_FD	= OWNER_COMM + 17,
	OWNER_FRONT_END	= OWNER_FD + 6,
};

#define OWNER_FRONT_HEADER "  UID     PID COMM                FD "

/**
 * struct owner_front - what owner_front_write() wrote before
 * @process: the last row's process; NULL at first
 * @uid: and its socket's owner
 * @line: its line
 * @length: how much of that depends on these two only
 */
struct owner_front {
	const struct owner_process *process;
	u32 uid;
	const char *line;
	unsigned int length;
};

char *owner_front_begin(struct owner_front *front, char *p,
			const struct owner_row *row);
char *owner_front_write_sharer(struct owner_front *front, char *p,
			       const struct owner_process *process);

/**
 * owner_front_write() - write UID, PID, COMM and FD of a socket's row
 * @front: what was written before
 * @p: where the line begins; it must stay there for the next call
 * @row: the row
 *
 * Return: where the next field is to be written.
 */
static __always_inline char *owner_front_write(struct owner_front *front, char *p,
					       const struct owner_row *row)
{
	char *begin = p, *end = begin + OWNER_FRONT_END;

	/* Most rows are of the same process as the one before. */
	if (front->line && front->process == row->process &&
	    front->uid == row->sock->uid) {
		memcpy(p, front->line, OWNER_FD);
		if (unlikely(front->length > OWNER_FD))
			memcpy(p, front->line, front->length);
		p += front->length;
	} else {
		p = owner_front_begin(front, p, row);
	}
	front->line = begin;
	if (row->fd)
		return field_right(p, end, row->fd->fd);
	return field_str(field_pad(p - 1, end - 2), "- ");
}

/* A column of eight and the blank that ends it; 0 means that there is no such number. */
static inline char *owner_number_write(char *p, u64 v)
{
	return v ? field_right8(p, v) : field_str(p, "       - ");
}

#endif /* KNETSTAT_OWNER_FRONT_H */
