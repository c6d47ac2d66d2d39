// SPDX-License-Identifier: GPL-2.0
/*
 * A row of tcplife. See row.h.
 */
#include <linux/build_bug.h>

#include "field.h"
#include "row.h"

/* Where the columns begin. */
enum {
	LIFE_SEQ	= 0,
	LIFE_TIME	= LIFE_SEQ + 9,
	LIFE_NETNS	= LIFE_TIME + 18,
	LIFE_PID	= LIFE_NETNS + 11,
	LIFE_COMM	= LIFE_PID + 8,
	LIFE_BY		= LIFE_COMM + 17,
	LIFE_UID	= LIFE_BY + 8,
	LIFE_ROLE	= LIFE_UID + 6,
	LIFE_LADDR	= LIFE_ROLE + 5,
	LIFE_LPORT	= LIFE_LADDR + FIELD_IPV4_MAX + 1,
	LIFE_RADDR	= LIFE_LPORT + 6,
	LIFE_RPORT	= LIFE_RADDR + FIELD_IPV4_MAX + 1,
	LIFE_TX		= LIFE_RPORT + 6,
	LIFE_RX		= LIFE_TX + 11,
	LIFE_MS		= LIFE_RX + 11,
	LIFE_CONN	= LIFE_MS + 13,
	LIFE_SRTT	= LIFE_CONN + 10,
	LIFE_RETX	= LIFE_SRTT + 10,
	LIFE_END	= LIFE_RETX + 5,
};

#define LIFE_HEADER "     SEQ              TIME      NETNS     PID COMM             BY        UID ROLE LADDR           LPORT RADDR           RPORT       TX_B       RX_B           MS   CONN_MS   SRTT_MS RETX END\n"

/* The first line. */
const char life_row_header[] = LIFE_HEADER;

static_assert(sizeof(life_row_header) - sizeof("END\n") == LIFE_END);

static char *life_time_write(char *p, char *column, u64 us)
{
	return us == LIFE_UNKNOWN_US ?
	       field_str(field_pad(p, column - 2), "- ") :
	       field_msecs(p, column, us);
}

/* PID, COMM and BY, as far as the reader may know. */
static char *life_task_write(char *p, char *begin, const struct life_row *row,
			     u32 pid)
{
	static const char * const by[] = {
		[LIFE_BY_NONE]		= "-",
		[LIFE_BY_LISTEN]	= "listen",
		[LIFE_BY_CLOSE]		= "close",
		[LIFE_BY_CONNECT]	= "connect",
	};

	if (pid && row->by != LIFE_BY_NONE) {
		p = field_right(p, begin + LIFE_COMM, pid);
		p = field_comm(p, row->task.comm);
		p = field_cstr(field_pad(p, begin + LIFE_BY), by[row->by]);
	} else {
		p = field_str(field_pad(p, begin + LIFE_COMM - 2), "- -");
		p = field_str(field_pad(p, begin + LIFE_BY), "-");
	}
	return field_pad(p, begin + LIFE_UID);
}

static char *life_ends_write(char *p, char *begin, const struct endpoints *ends)
{
	p = field_address(p, ends, &ends->laddr);
	p = field_pad(p, begin + LIFE_LPORT);
	p = field_right(p, begin + LIFE_RADDR, ends->lport);
	p = field_address(p, ends, &ends->raddr);
	p = field_pad(p, begin + LIFE_RPORT);
	return field_right(p, begin + LIFE_TX, ends->rport);
}

/**
 * life_row_write() - write a row as a line
 * @p: where to write; LIFE_ROW_MAX bytes fit
 * @row: the row
 * @shown: what the reader makes of it
 *
 * Return: the byte after the line's newline.
 */
char *life_row_write(char *p, const struct life_row *row,
		     const struct life_shown *shown)
{
	static const char * const roles[] = {
		[LIFE_ROLE_NONE]	= "-",
		[LIFE_ROLE_CONN]	= "conn",
		[LIFE_ROLE_ACPT]	= "acpt",
	};
	static const char * const ends[] = {
		[LIFE_END_NONE]		= "-",
		[LIFE_END_FIN]		= "fin",
		[LIFE_END_RESET]	= "reset",
		[LIFE_END_ABORT]	= "abort",
		[LIFE_END_REFUSED]	= "refused",
		[LIFE_END_TIMEOUT]	= "timeout",
	};
	char *begin = p;

	p = field_right(p, begin + LIFE_TIME, shown->seq);
	p = field_secs(p, begin + LIFE_NETNS, row->time_us);
	p = field_right(p, begin + LIFE_PID, row->netns);
	p = life_task_write(p, begin, row, shown->pid);
	p = field_right(p, begin + LIFE_ROLE, shown->uid);
	p = field_pad(field_cstr(p, roles[row->role]), begin + LIFE_LADDR);
	p = life_ends_write(p, begin, &row->ends);
	p = field_right(p, begin + LIFE_RX, row->tx);
	p = field_right(p, begin + LIFE_MS, row->rx);
	p = life_time_write(p, begin + LIFE_CONN, row->life_us);
	p = life_time_write(p, begin + LIFE_SRTT, row->conn_us);
	p = life_time_write(p, begin + LIFE_RETX, row->srtt_us);
	p = field_right(p, begin + LIFE_END, row->retx);
	p = field_cstr(p, ends[row->end]);
	*p++ = '\n';
	return p;
}
