// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the sessions that have ended. See ports.h.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/vmalloc.h>

#include "field.h"
#include "ports.h"

/* The buckets' upper bounds, in microseconds; the columns' names have them in ms. */
const u32 ports_life_us[] = {
	1 * USEC_PER_MSEC, 10 * USEC_PER_MSEC, 100 * USEC_PER_MSEC,
	1000 * USEC_PER_MSEC, 10000 * USEC_PER_MSEC,
};

const u32 ports_conn_us[] = {
	1 * USEC_PER_MSEC, 5 * USEC_PER_MSEC, 25 * USEC_PER_MSEC,
	100 * USEC_PER_MSEC, 500 * USEC_PER_MSEC,
};

const u32 ports_srtt_us[] = {
	1 * USEC_PER_MSEC, 5 * USEC_PER_MSEC, 25 * USEC_PER_MSEC,
	100 * USEC_PER_MSEC, 500 * USEC_PER_MSEC,
};

/*
 * The columns of numbers: N(name, width, value), and T() of those that are times in
 * microseconds. The width is without the blank behind it. It is at least that of
 * the name and 8, and at most 14: see ports_number_write(). Values are of @counts;
 * and buckets add up, so that each has what is in those before.
 */
#define PORTS_COLUMNS(N, T)						\
	N("SESSIONS", 8, ports_sessions(counts))			\
	N("FIN", 8, counts->ends[LIFE_END_FIN])				\
	N("RESET", 8, counts->ends[LIFE_END_RESET])			\
	N("ABORT", 8, counts->ends[LIFE_END_ABORT])			\
	N("REFUSED", 8, counts->ends[LIFE_END_REFUSED])			\
	N("TIMEOUT", 8, counts->ends[LIFE_END_TIMEOUT])			\
	N("UNREACH", 8, counts->ends[LIFE_END_UNREACH])			\
	N("OTHER", 8, counts->ends[LIFE_END_NONE])			\
	N("TX_B", 13, counts->tx)					\
	N("RX_B", 13, counts->rx)					\
	N("RETX", 8, counts->retx)					\
	T("MS_SUM", 14, counts->life_us)				\
	T("CONN_MS_SUM", 14, counts->conn_us)				\
	T("SRTT_MS_SUM", 14, counts->srtt_us)				\
	N("CONNS", 8, counts->conns)					\
	N("SRTTS", 8, counts->srtts)					\
	N("MS_LE1", 8, in = counts->life_in[0])				\
	N("MS_LE10", 8, in += counts->life_in[1])			\
	N("MS_LE100", 8, in += counts->life_in[2])			\
	N("MS_LE1000", 9, in += counts->life_in[3])			\
	N("MS_LE10000", 10, in += counts->life_in[4])			\
	N("CONN_LE1", 8, in = counts->conn_in[0])			\
	N("CONN_LE5", 8, in += counts->conn_in[1])			\
	N("CONN_LE25", 9, in += counts->conn_in[2])			\
	N("CONN_LE100", 10, in += counts->conn_in[3])			\
	N("CONN_LE500", 10, in += counts->conn_in[4])			\
	N("SRTT_LE1", 8, in = counts->srtt_in[0])			\
	N("SRTT_LE5", 8, in += counts->srtt_in[1])			\
	N("SRTT_LE25", 9, in += counts->srtt_in[2])			\
	N("SRTT_LE100", 10, in += counts->srtt_in[3])			\
	N("SRTT_LE500", 10, in += counts->srtt_in[4])

/* How many there are. */
#define PORTS_ONE(name, width, value)	+ 1
#define PORTS_NUMBERS	(0 PORTS_COLUMNS(PORTS_ONE, PORTS_ONE))

/* The roles' names; "-", the first of them, is before the others. */
static const char ports_roles[][6] = { "-    ", "acpt ", "conn " };

/* The widest row: each number has all its digits, times three decimals. */
static_assert(sizeof(ports_roles[0]) + FIELD_PORT_MAX +
	      PORTS_NUMBERS * (FIELD_MSECS_MAX + 1) + FIELD_SLACK <=
	      PORTS_ROW_MAX, "a row fits");

/**
 * ports_order() - where a row is among the others
 * @role: its role
 * @port: its port, or PORTS_ORDER_OTHER
 *
 * Return: a number of PORTS_ORDER_BITS bits, the greater the later.
 */
u32 ports_order(enum life_role role, u32 port)
{
	static const u8 rank[] = {
		[LIFE_ROLE_NONE] = 0, [LIFE_ROLE_ACPT] = 1, [LIFE_ROLE_CONN] = 2,
	};

	return rank[role] << 17 | port;
}

/**
 * ports_init() - make the counters
 * @ports: they
 * @limit: how many rows
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int ports_init(struct ports *ports, unsigned int limit)
{
	unsigned int bits = ilog2(roundup_pow_of_two(limit)) + 1;
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
		    __GFP_RETRY_MAYFAIL;

	ports->limit = limit;
	ports->used = 0;
	ports->free = limit;
	ports->free_list = 0;
	ports->generation = 0;
	ports->factor = get_random_u64() | 1;
	ports->shift = 64 - bits;
	ports->heads = __vmalloc(array_size(1U << bits, sizeof(*ports->heads)),
				 gfp);
	ports->rows = __vmalloc(array_size(limit, sizeof(*ports->rows)), gfp);
	if (ports->heads && ports->rows)
		return 0;
	ports_exit(ports);
	return -ENOMEM;
}

/**
 * ports_exit() - free the counters
 * @ports: they; nobody counts or reads any more
 *
 * Context: Process context, may sleep.
 */
void ports_exit(struct ports *ports)
{
	vfree(ports->rows);
	vfree(ports->heads);
	ports->rows = NULL;
	ports->heads = NULL;
}

static u32 *ports_chain(const struct ports *ports, u64 key)
{
	return &ports->heads[key * ports->factor >> ports->shift];
}

/* Finds a key's row, or sets *length to how long its chain is. */
static struct port_row *ports_find(const struct ports *ports, u64 key,
				   unsigned int *length)
{
	u32 index = *ports_chain(ports, key);
	struct port_row *row;

	*length = 0;
	while (index) {
		row = &ports->rows[index - 1];
		if (likely(row->key == key))
			return row;
		index = row->next;
		++*length;
	}
	return NULL;
}

static void ports_link(struct ports *ports, struct port_row *row, u64 key)
{
	u32 *head = ports_chain(ports, key);

	row->next = *head;
	*head = row - ports->rows + 1;
	/* Who goes through all rows looks at this without the lock. */
	WRITE_ONCE(row->key, key);
}

static void ports_unlink(struct ports *ports, const struct port_row *row)
{
	u32 index = row - ports->rows + 1;
	u32 *link = ports_chain(ports, row->key);

	while (*link != index)
		link = &ports->rows[*link - 1].next;
	*link = row->next;
}

static bool ports_has_room(const struct ports *ports,
			   const struct ports_view *view, enum life_role role,
			   unsigned int length)
{
	return view->rows[role] < ports->free && length < PORTS_CHAIN;
}

static struct port_row *ports_take(struct ports *ports)
{
	struct port_row *row;

	ports->free--;
	if (!ports->free_list) {
		row = &ports->rows[ports->used];
		/* It is all zeros, as it was made. */
		WRITE_ONCE(ports->used, ports->used + 1);
		return row;
	}
	row = &ports->rows[ports->free_list - 1];
	ports->free_list = row->next;
	memset(&row->counts, 0, sizeof(row->counts));
	return row;
}

static void ports_give(struct ports *ports, struct port_row *row)
{
	WRITE_ONCE(row->key, 0);
	row->next = ports->free_list;
	ports->free_list = row - ports->rows + 1;
	ports->free++;
}

static __always_inline void ports_count_in(u64 *buckets, const u32 *bounds,
					   u64 us)
{
	unsigned int i;

	for (i = 0; i < PORTS_BUCKETS; i++) {
		if (us <= bounds[i]) {
			buckets[i]++;
			return;
		}
	}
}

static void port_counts_one(struct port_counts *counts,
			    const struct life_row *row)
{
	counts->ends[row->end]++;
	counts->tx += row->tx;
	counts->rx += row->rx;
	counts->retx += row->retx;
	if (likely(row->life_us != LIFE_UNKNOWN_US)) {
		counts->life_us += row->life_us;
		ports_count_in(counts->life_in, ports_life_us, row->life_us);
	}
	if (row->conn_us != LIFE_UNKNOWN_US) {
		counts->conns++;
		counts->conn_us += row->conn_us;
		ports_count_in(counts->conn_in, ports_conn_us, row->conn_us);
	}
	if (row->srtt_us != LIFE_UNKNOWN_US) {
		counts->srtts++;
		counts->srtt_us += row->srtt_us;
		ports_count_in(counts->srtt_in, ports_srtt_us, row->srtt_us);
	}
}

/**
 * ports_count() - count a session that has ended
 * @ports: the counters
 * @view: whose it was: the view of its namespace, or @all if that is ending
 * @all: the view of all namespaces
 * @row: the session
 *
 * What neither connected nor was accepted, as far as is known, has no service
 * port.
 *
 * Context: Under the counters' lock; any but NMI.
 */
void ports_count(struct ports *ports, struct ports_view *view,
		 struct ports_view *all, const struct life_row *row)
{
	enum life_role role = row->role;
	struct port_row *found = NULL;
	unsigned int length;
	u64 key;

	if (likely(role != LIFE_ROLE_NONE)) {
		key = port_key(view->id, role, role == LIFE_ROLE_CONN ?
			       row->ends.rport : row->ends.lport);
		found = ports_find(ports, key, &length);
		if (unlikely(!found) && ports_has_room(ports, view, role, length)) {
			found = ports_take(ports);
			ports_link(ports, found, key);
			view->rows[role]++;
		}
	}
	if (likely(found)) {
		port_counts_one(&found->counts, row);
		return;
	}
	port_counts_one(&all->other[role], row);
	if (view != all)
		port_counts_one(&view->other[role], row);
}

/**
 * ports_leave() - leave a row of a namespace that ends to the view of all
 * @ports: the counters
 * @index: which row; one of that namespace
 * @view: the view of the namespace; nothing is counted for it any more
 * @all: the view of all namespaces
 *
 * Context: Under the counters' lock, and nobody reads many rows.
 */
void ports_leave(struct ports *ports, u32 index, struct ports_view *view,
		 struct ports_view *all)
{
	struct port_row *row = &ports->rows[index], *to;
	u32 side = port_key_side(row->key);
	enum life_role role = side >> 16;
	u64 key = port_key(all->id, role, side);
	unsigned int length;

	to = ports_find(ports, key, &length);
	ports_unlink(ports, row);
	view->rows[role]--;
	ports->generation++;
	if (!to && ports_has_room(ports, all, role, length)) {
		ports_link(ports, row, key);
		all->rows[role]++;
		return;
	}
	port_counts_add(to ? &to->counts : &all->other[role], &row->counts);
	ports_give(ports, row);
}

/**
 * ports_header_write() - write the first line
 * @p: where to write; PORTS_ROW_MAX bytes fit
 *
 * Return: the byte after its newline.
 */
char *ports_header_write(char *p)
{
	static const struct {
		const char *name;
		int width;
	} columns[] = {
#define PORTS_NAME(name, width, value)	{ name, width },
		PORTS_COLUMNS(PORTS_NAME, PORTS_NAME)
#undef PORTS_NAME
	};
	unsigned int i;

	p = field_str(p, "ROLE  PORT ");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		p += sprintf(p, "%*s ", columns[i].width, columns[i].name);
	p[-1] = '\n';
	return p;
}

static u64 ports_sessions(const struct port_counts *counts)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < PORTS_ENDS; i++)
		sum += counts->ends[i];
	return sum;
}

#define PORTS_BLANKS	0x2020202020202020ULL
/* Six blanks, a zero, a blank: the lowest byte is the first one. */
#define PORTS_ZERO	0x2030202020202020ULL

static noinline char *ports_large_write(char *p, unsigned int width, u64 v)
{
	if (v >= 100000000)
		return field_right(p, p + width + 1, v);
	field_put8(p, PORTS_BLANKS);
	return field_right8(p + width - 8, v);
}

/* Most numbers of most rows have a digit. Two words are what is before it. */
static __always_inline char *ports_number_write(char *p, unsigned int width, u64 v)
{
	if (unlikely(v >= 10))
		return ports_large_write(p, width, v);
	field_put8(p, PORTS_BLANKS);
	field_put8(p + width - 7, PORTS_ZERO + (v << 48));
	return p + width + 1;
}

/**
 * ports_row_write() - write a row of tcpports as a line
 * @p: where to write; PORTS_ROW_MAX bytes fit
 * @order: ports_order() of it
 * @counts: its counters
 *
 * Return: the byte after its newline.
 */
char *ports_row_write(char *p, u32 order, const struct port_counts *counts)
{
	u64 in;

	memcpy(p, ports_roles[order >> 17], sizeof(ports_roles[0]) - 1);
	p += sizeof(ports_roles[0]) - 1;
	p = order & PORTS_ORDER_OTHER ? field_str(p, "    * ") :
					field_right(p, p + 6, order & 0xffff);
	/* One expression: each is written where the one before has ended. */
#define PORTS_NUMBER(name, width, value) \
	p = ports_number_write(p, width, value),
#define PORTS_TIME(name, width, value) \
	p = field_msecs(p, p + (width) + 1, value),
	PORTS_COLUMNS(PORTS_NUMBER, PORTS_TIME)
	p[-1] = '\n';
#undef PORTS_NUMBER
#undef PORTS_TIME
	return p;
}
