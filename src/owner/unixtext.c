// SPDX-License-Identifier: GPL-2.0
/*
 * How a row of unixowner is written. See unixtext.h.
 */
#include <linux/build_bug.h>
#include <linux/net.h>
#include <linux/string.h>

#include "field.h"
#include "state.h"
#include "unixtext.h"

/* Where the columns begin. */
enum {
	UNIX_TYPE	= OWNER_FRONT_END,
	UNIX_STAT	= UNIX_TYPE + 5,
	UNIX_PATH	= UNIX_STAT + STATE_WIDTH,
	UNIX_PEER	= UNIX_PATH + 33,
	UNIX_CGROUP	= UNIX_PEER + 9,
	UNIX_INODE	= UNIX_CGROUP + 9,
	UNIX_END	= UNIX_INODE + 9,
};

#define UNIX_REST "TYPE STAT PATH                                 PEER   CGROUP    INODE\n"
#define UNIX_HEADER OWNER_FRONT_HEADER UNIX_REST

/* The first line. */
const char owner_unix_header[] = UNIX_HEADER;

static_assert(sizeof(owner_unix_header) == UNIX_END + 1);

/*
 * A name. What an abstract one looks like, and "-", which would mean that there is none,
 * must not be taken for what a path happens to be.
 */
static char *unix_path_write(char *p, const struct owner_found *found,
			     struct owner_path path)
{
	char name[OWNER_PATH_ROOM];

	if (!path.length)
		return field_str(p, "-");
	owner_path_get(&found->paths, path, name);
	if (!name[0]) {
		*p++ = '@';
		return field_bytes(p, name + 1, path.length - 1);
	}
	if (name[0] == '@') {
		p = field_str(p, "\\100");
		return field_bytes(p, name + 1, path.length - 1);
	}
	if (name[0] == '-' && path.length == 1)
		return field_str(p, "\\055");
	return field_bytes(p, name, path.length);
}

/* Of a process that shares its descriptors there is no more to say. */
static char *unix_sharer_write(struct owner_front *front, char *p,
			       const struct owner_process *process)
{
	char *begin = p;

	p = field_str(owner_front_write_sharer(front, p, process), "-");
	p = field_str(field_pad(p, begin + UNIX_STAT), "-");
	p = field_str(field_pad(p, begin + UNIX_PATH), "-");
	p = field_pad(p, begin + UNIX_PEER);
	p = owner_number_write(owner_number_write(p, 0), 0);
	return field_str(p, "       -\n");
}

/**
 * owner_unix_row_write() - write a row as a line
 * @found: where the row is from
 * @front: what was written before
 * @p: where to; room for OWNER_UNIX_ROW_MAX
 * @row: the row; the line must stay there for the next call
 *
 * Context: Any.
 * Return: where the line ends.
 */
char *owner_unix_row_write(const struct owner_found *found, struct owner_front *front,
			   char *p, const struct owner_row *row)
{
	/* With the blank that ends the column, and of a round size to copy. */
	static const char types[8][8] = {
		[0]			= "-    ",
		[SOCK_RAW]		= "-    ",
		[SOCK_RDM]		= "-    ",
		[SOCK_DCCP]		= "-    ",
		[7]			= "-    ",
		[SOCK_STREAM]		= "strm ",
		[SOCK_DGRAM]		= "dgrm ",
		[SOCK_SEQPACKET]	= "seqp ",
	};
	const struct owner_sock *sock = row->sock;
	char *begin = p;

	if (unlikely(!sock))
		return unix_sharer_write(front, p, row->process);
	p = owner_front_write(front, p, row);
	memcpy(p, types[sock->un.type & 7], sizeof(types[0]));
	p += UNIX_STAT - UNIX_TYPE;
	p = sock->state == TCP_LISTEN ? state_write_tcp(p, TCP_LISTEN) :
					state_write_udp(p, sock->state);
	p = field_pad(unix_path_write(p, found, sock->un.path), begin + UNIX_PEER);
	p = owner_number_write(p, sock->un.peer);
	p = owner_number_write(p, sock->cgroup);
	p = field_right8(p, sock->inode);
	p[-1] = '\n';
	return p;
}

/**
 * owner_unix_write() - write rows as lines
 * @found: where the rows are from
 * @cursor: the place of the first of them; goes behind the last
 * @count: how many, if there are as many
 * @p: where to; room for as many times OWNER_UNIX_ROW_MAX
 *
 * Context: Any.
 * Return: where the lines end.
 */
char *owner_unix_write(const struct owner_found *found, struct owner_cursor *cursor,
		       unsigned int count, char *p)
{
	struct owner_front front = {};
	struct owner_row row;

	while (count-- && owner_next_row(found, cursor, &row))
		p = owner_unix_row_write(found, &front, p, &row);
	return p;
}
