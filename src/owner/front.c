// SPDX-License-Identifier: GPL-2.0
/*
 * The columns that a row begins with. See front.h.
 */
#include <linux/build_bug.h>

#include "front.h"

static_assert(sizeof(OWNER_FRONT_HEADER) == OWNER_FRONT_END + 1);

/* PID and COMM; returns where FD is to be written, or the blanks before. */
static char *owner_process_write(char *p, char *begin,
				 const struct owner_process *process)
{
	if (process) {
		p = field_right(p, begin + OWNER_COMM, process->pid);
		p = field_comm(p, process->comm);
	} else {
		p = field_pad(p - 1, begin + OWNER_COMM - 2);
		p = field_str(p, "- -");
	}
	return field_pad(p, begin + OWNER_FD);
}

/**
 * owner_front_begin() - write UID, PID and COMM, and remember them
 * @front: where to
 * @p: where the line begins
 * @row: the row of a socket
 *
 * For owner_front_write(), which is the one to call.
 *
 * Return: where FD is to be written, or the blanks before.
 */
char *owner_front_begin(struct owner_front *front, char *p,
			const struct owner_row *row)
{
	char *begin = p;

	p = field_right(p, begin + OWNER_PID, row->sock->uid);
	p = owner_process_write(p, begin, row->process);
	front->length = p - begin;
	front->process = row->process;
	front->uid = row->sock->uid;
	return p;
}

/**
 * owner_front_write_sharer() - write these columns of a process that shares its
 * descriptors
 * @front: what was written before
 * @p: where the line begins
 * @process: the process
 *
 * Of such a process there is no more to say: all other fields are empty.
 *
 * Return: where the next field is to be written.
 */
char *owner_front_write_sharer(struct owner_front *front, char *p,
			       const struct owner_process *process)
{
	char digits[FIELD_U64_MAX + FIELD_SLACK];
	char *begin = p, *end = begin + OWNER_FRONT_END;
	size_t n = field_u64(digits, process->shares) - digits;

	front->line = NULL;
	p = field_str(field_pad(p, begin + OWNER_PID - 2), "- ");
	p = owner_process_write(p, begin, process);
	if (end - 2 - n > p)
		p = field_pad(p, end - 2 - n);
	*p++ = '=';
	memcpy(p, digits, n);
	return field_pad(p + n, end);
}
