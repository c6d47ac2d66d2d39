// SPDX-License-Identifier: GPL-2.0
/*
 * How a row of sockowner is written. See text.h.
 */
#include <linux/build_bug.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "field.h"
#include "state.h"
#include "text.h"

/* Where the columns begin. */
enum {
	OWNER_UID	= 0,
	OWNER_PID	= OWNER_UID + 6,
	OWNER_COMM	= OWNER_PID + 8,
	OWNER_FD	= OWNER_COMM + 17,
	OWNER_PROTO	= OWNER_FD + 6,
	OWNER_STAT	= OWNER_PROTO + 6,
	OWNER_LOCAL	= OWNER_STAT + STATE_WIDTH,
	OWNER_FOREIGN	= OWNER_LOCAL + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_INODE	= OWNER_FOREIGN + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_END	= OWNER_INODE + 9,
};

#define OWNER_HEADER "  UID     PID COMM                FD PROTO STAT LOCAL                 FOREIGN                  INODE\n"

/* The first line. */
const char owner_header[] = OWNER_HEADER;

static_assert(sizeof(owner_header) == OWNER_END + 1);

static __always_inline char *
owner_end_write(char *p, char *column, const struct owner_row *row,
		const struct in6_addr *addr, u16 port)
{
	p = field_address(p, &row->ends, addr);
	return field_pad(field_port(p, port), column);
}

/* UID, PID and COMM; returns where FD is to be written, or the blanks before. */
static char *owner_holder_write(char *p, const struct owner_row *row)
{
	char *begin = p;

	p = field_right(p, begin + OWNER_PID, row->uid);
	if (row->pid) {
		p = field_right(p, begin + OWNER_COMM, row->pid);
		p = field_comm(p, row->comm);
	} else {
		p = field_pad(p - 1, begin + OWNER_COMM - 2);
		p = field_str(p, "- -");
	}
	return field_pad(p, begin + OWNER_FD);
}

static bool owner_same_holder(const struct owner_row *one,
			      const struct owner_row *other)
{
	return one->uid == other->uid && one->pid == other->pid &&
	       (!one->pid || !memcmp(one->comm, other->comm, TASK_COMM_LEN));
}

/**
 * owner_row_write() - write a row as a line
 * @writer: what was written before
 * @p: where to; room for OWNER_ROW_MAX
 * @row: the row; it and the line must stay there for the next call
 *
 * Context: Any.
 * Return: where the line ends.
 */
char *owner_row_write(struct owner_writer *writer, char *p,
		      const struct owner_row *row)
{
	static const char protos[2][2][8] = {
		{ "tcp4  ", "tcp6  " }, { "udp4  ", "udp6  " },
	};
	char *begin = p, *fd;

	/* Most rows are of the same process as the one before. */
	if (writer->row && owner_same_holder(writer->row, row)) {
		memcpy(p, writer->line, OWNER_FD);
		if (unlikely(writer->length > OWNER_FD))
			memcpy(p, writer->line, writer->length);
		p += writer->length;
	} else {
		p = owner_holder_write(p, row);
		writer->length = p - begin;
	}
	writer->row = row;
	writer->line = begin;

	fd = begin + OWNER_PROTO;
	if (!row->pid)
		p = field_str(field_pad(p - 1, fd - 2), "- ");
	else
		p = field_right(p, fd, row->fd);
	memcpy(p, protos[row->udp][row->ends.family == AF_INET6], 8);
	p += OWNER_STAT - OWNER_PROTO;
	p = row->udp ? state_write_udp(p, row->state) :
		       state_write_tcp(p, row->state);
	p = owner_end_write(p, begin + OWNER_FOREIGN, row, &row->ends.laddr,
			    row->ends.lport);
	p = owner_end_write(p, begin + OWNER_INODE, row, &row->ends.raddr,
			    row->ends.rport);
	p = field_right8(p, row->inode);
	p[-1] = '\n';
	return p;
}
