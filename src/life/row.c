// SPDX-License-Identifier: GPL-2.0
/*
 * A row of tcplife. See row.h.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "field.h"
#include "row.h"
#include "state.h"

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
	LIFE_CGROUP	= LIFE_RETX + 5,
	LIFE_END	= LIFE_CGROUP + 7,
};

#define LIFE_MOST "      NETNS     PID COMM             BY        UID ROLE LADDR           LPORT RADDR           RPORT       TX_B       RX_B           MS   CONN_MS   SRTT_MS RETX CGROUP "

#define LIFE_HEADER "     SEQ              TIME" LIFE_MOST "END\n"
#define LIVE_HEADER "            SINCE" LIFE_MOST "STAT\n"

/* The first lines. */
const char life_row_header[] = LIFE_HEADER;
const char life_live_header[] = LIVE_HEADER;

static_assert(sizeof(life_row_header) - sizeof("END\n") == LIFE_END);
static_assert(sizeof(life_live_header) - sizeof("STAT\n") == LIFE_END - LIFE_TIME);

static char *life_time_write(char *p, char *column, u64 us)
{
	return us == LIFE_UNKNOWN_US ?
	       field_str(field_pad(p, column - 2), "- ") :
	       field_msecs(p, column, us);
}

/* Ten digits, and a time of today with its decimals, each with a blank. */
static_assert(LIFE_PID - LIFE_NETNS == 11);
static_assert(LIFE_NETNS - LIFE_TIME == sizeof("1700000000.123456"));

/* The number of a namespace: ten digits, nearly always. */
static char *life_netns_write(char *p, char *begin, u32 netns)
{
	char *column = begin + LIFE_PID;

	if (unlikely(p != begin + LIFE_NETNS || netns < 1000000000))
		return field_right(p, column, netns);
	*field_ten(p, netns) = ' ';
	return column;
}

/* A time of today: its seconds have ten digits. */
static char *life_when_write(char *p, char *begin, u64 us)
{
	char *column = begin + LIFE_NETNS;
	u32 micros;
	u64 secs = div_u64_rem(us, USEC_PER_SEC, &micros);

	if (unlikely(p != begin + LIFE_TIME || secs < 1000000000 ||
		     secs >= 10000000000ULL))
		return field_secs(p, column, us);
	/* The last six of eight digits, and the blank. */
	field_put8(field_ten(p, secs),
		   '.' | (field_digits(micros) + FIELD_ZEROS) >> 16 << 8 |
		   (u64)' ' << 56);
	return column;
}

/* PID, COMM and BY, as far as the reader may know. */
static char *life_task_write(char *p, char *begin, const struct life_row *row,
			     u32 pid)
{
	/* The column's width, with the blank that ends it. */
	static const char by[][LIFE_UID - LIFE_BY + 1] = {
		[LIFE_BY_NONE]		= "-       ",
		[LIFE_BY_LISTEN]	= "listen  ",
		[LIFE_BY_HOLD]		= "hold    ",
		[LIFE_BY_ACCEPT]	= "accept  ",
		[LIFE_BY_CLOSE]		= "close   ",
		[LIFE_BY_CONNECT]	= "connect ",
		[LIFE_BY_USE]		= "use     ",
	};

	if (pid && row->by != LIFE_BY_NONE) {
		p = field_right_in(p, begin + LIFE_PID, begin + LIFE_COMM, pid);
		p = field_comm(p, row->task.comm);
		p = field_pad(p, begin + LIFE_BY);
		memcpy(p, by[row->by], sizeof(by[0]) - 1);
	} else {
		p = field_str(field_pad(p, begin + LIFE_COMM - 2), "- -");
		p = field_pad(p, begin + LIFE_BY);
		memcpy(p, by[LIFE_BY_NONE], sizeof(by[0]) - 1);
	}
	return p + sizeof(by[0]) - 1;
}

static char *life_ends_write(char *p, char *begin, const struct endpoints *ends)
{
	p = field_address(p, ends, &ends->laddr);
	p = field_pad(p, begin + LIFE_LPORT);
	p = field_right_in(p, begin + LIFE_LPORT, begin + LIFE_RADDR, ends->lport);
	p = field_address(p, ends, &ends->raddr);
	p = field_pad(p, begin + LIFE_RPORT);
	return field_right_in(p, begin + LIFE_RPORT, begin + LIFE_TX, ends->rport);
}

/* From TIME, or SINCE, to CGROUP; @begin is where SEQ is, or would be. */
static char *life_most_write(char *p, char *begin, const struct life_row *row,
			     const struct life_shown *shown)
{
	static const char roles[][LIFE_LADDR - LIFE_ROLE + 1] = {
		[LIFE_ROLE_NONE]	= "-    ",
		[LIFE_ROLE_CONN]	= "conn ",
		[LIFE_ROLE_ACPT]	= "acpt ",
	};

	p = row->time_us == LIFE_UNKNOWN_US ?
	    field_str(field_pad(p, begin + LIFE_NETNS - 2), "- ") :
	    life_when_write(p, begin, row->time_us);
	p = life_netns_write(p, begin, row->netns);
	p = life_task_write(p, begin, row, shown->pid);
	p = field_right_in(p, begin + LIFE_UID, begin + LIFE_ROLE, shown->uid);
	memcpy(p, roles[row->role], sizeof(roles[0]) - 1);
	p += sizeof(roles[0]) - 1;
	p = life_ends_write(p, begin, &row->ends);
	p = field_right_in(p, begin + LIFE_TX, begin + LIFE_RX, row->tx);
	p = field_right_in(p, begin + LIFE_RX, begin + LIFE_MS, row->rx);
	p = life_time_write(p, begin + LIFE_CONN, row->life_us);
	p = life_time_write(p, begin + LIFE_SRTT, row->conn_us);
	p = life_time_write(p, begin + LIFE_RETX, row->srtt_us);
	p = field_right_in(p, begin + LIFE_RETX, begin + LIFE_CGROUP, row->retx);
	return row->cgroup ? field_right_in(p, begin + LIFE_CGROUP, begin + LIFE_END,
					    row->cgroup) :
			     field_str(field_pad(p, begin + LIFE_END - 2), "- ");
}

/**
 * life_row_write() - write a row of tcplife as a line
 * @p: where to write; LIFE_ROW_MAX bytes fit
 * @row: the row
 * @shown: what the reader makes of it
 *
 * Return: the byte after the line's newline.
 */
char *life_row_write(char *p, const struct life_row *row,
		     const struct life_shown *shown)
{
	static const struct {
		char name[15];
		u8 length;
	} ends[] = {
#define LIFE_END_NAME(name)	{ name "\n", sizeof(name "\n") - 1 }
		[LIFE_END_NONE]		= LIFE_END_NAME("-"),
		[LIFE_END_FIN]		= LIFE_END_NAME("fin"),
		[LIFE_END_RESET]	= LIFE_END_NAME("reset"),
		[LIFE_END_ABORT]	= LIFE_END_NAME("abort"),
		[LIFE_END_REFUSED]	= LIFE_END_NAME("refused"),
		[LIFE_END_TIMEOUT]	= LIFE_END_NAME("timeout"),
		[LIFE_END_UNREACH]	= LIFE_END_NAME("unreach"),
#undef LIFE_END_NAME
	};
	char *begin = p;

	p = field_right_in(p, begin + LIFE_SEQ, begin + LIFE_TIME, shown->seq);
	p = life_most_write(p, begin, row, shown);
	memcpy(p, ends[row->end].name, 8);
	return p + ends[row->end].length;
}

/**
 * life_live_write() - write a row of tcplive as a line
 * @p: where to write; LIFE_ROW_MAX bytes fit
 * @row: what would be said of the session if it ended now; @row->time_us is when
 *	it began, and @row->end its state
 * @shown: what the reader makes of it
 *
 * Return: the byte after the line's newline.
 */
char *life_live_write(char *p, const struct life_row *row,
		      const struct life_shown *shown)
{
	p = life_most_write(p, p - LIFE_TIME, row, shown);
	/* The blank after the state is where the line ends. */
	p = state_write_tcp(p, row->end);
	p[-1] = '\n';
	return p;
}
