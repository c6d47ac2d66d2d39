// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of sockowner.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/lists.h"
#include "../lib/say.h"
#include "sockstat.h"

#define READ_SIZE	(256 * 1024)

static struct table owner;
static enum rows which_rows;

/* In the order of enum proto; a name that another one begins with is behind that. */
const char * const proto_names[PROTOS] = {
	"tcp4", "tcp6", "tcp46", "udp4", "udp6", "udp46", "raw4", "raw6", "icmp4",
	"icmp6", "packet", "stream", "dgram", "seqpac",
};

const char * const held_names[HELDS] = {
	"-", "fd", "queue", "syn", "tw", "orphan", "kernel",
};

/* The columns of sockowner. */
enum {
	UID, PID, COMM, FD, PROTO, STAT, LOCAL, FOREIGN, INODE, HELD, CGROUP, NETNS,
	TYPE, PATH, PEER,
	OWNER_COLUMNS
};

static const char * const owner_columns[OWNER_COLUMNS] = {
	"UID", "PID", "COMM", "FD", "PROTO", "STAT", "LOCAL", "FOREIGN",
	"INODE", "HELD", "CGROUP", "NETNS", "TYPE", "PATH", "PEER",
};

/* Those of both files, and those of each that it always has. */
#define COMMON_COLUMNS	(BIT(UID) | BIT(PID) | BIT(COMM) | BIT(FD) | BIT(STAT) | BIT(INODE))
#define INET_COLUMNS	(COMMON_COLUMNS | BIT(PROTO) | BIT(LOCAL) | BIT(FOREIGN))
#define UNIX_COLUMNS	(COMMON_COLUMNS | BIT(TYPE) | BIT(PATH) | BIT(PEER) | BIT(CGROUP))

/* A module that is older than the program may lack these. */
#define LATER_COLUMNS	(BIT(HELD) | BIT(CGROUP) | BIT(NETNS))

static const struct state states[] = {
	{ "ESTB", "ESTABLISHED",	ALL_BITS,	true,	false },
	{ "TIMW", "TIME_WAIT",		TCP_BITS,	true,	false },
	{ "UNCN", "UNCONN",		NO_TCP_BITS,	false,	true },
	{ "LSTN", "LISTEN",		TCP_BITS | UNIX_BITS, false, true },
	{ "SYNS", "SYN_SENT",		TCP_BITS,	true,	false },
	{ "SYNR", "SYN_RCVD",		TCP_BITS,	true,	false },
	{ "FNW1", "FIN_WAIT_1",		TCP_BITS,	true,	false },
	{ "FNW2", "FIN_WAIT_2",		TCP_BITS,	true,	false },
	{ "CLSW", "CLOSE_WAIT",		TCP_BITS,	true,	false },
	{ "LACK", "LAST_ACK",		TCP_BITS,	true,	false },
	{ "CLSG", "CLOSING",		TCP_BITS,	true,	false },
	{ "CLSD", "CLOSED",		TCP_BITS,	false,	true },
};

/* What addresses are written with. */
static const bool of_address[256] = {
	['0' ... '9'] = true, ['a' ... 'f'] = true, ['.'] = true, [':'] = true,
};

/* The last colon is between address and port; '*' is port 0. */
static inline const char *take_usual_end(const char *p, struct end *end)
{
	const char *begin = p, *colon;
	u64 place = 1;

	while (of_address[(unsigned char)*p])
		p++;
	if (p == begin)
		return NULL;
	end->port = 0;
	/* The port is read from its end: where it begins is not known yet. */
	for (colon = p - 1; colon > begin && (unsigned char)(*colon - '0') <= 9;
	     colon--) {
		end->port += place * (*colon - '0');
		place *= 10;
	}
	if (colon == begin || *colon != ':')
		return NULL;
	if (*p == '*' && p == colon + 1)
		p++;
	else if (!end->port || end->port >= PORTS || p - colon > 6)
		return NULL;
	end->addr = (struct word){ begin, colon - begin };
	end->iface.len = 0;
	end->odd = false;
	end->whole = (struct word){ begin, p - begin };
	return p;
}

/* An end with an interface; what is none is for packet sockets. */
static noinline const char *take_other_end(const char *p, struct end *end)
{
	const char *colon, *percent;
	struct word port;

	p = take_word(p, &end->whole);
	end->addr = end->whole;
	end->iface.len = 0;
	end->port = 0;
	end->odd = true;
	colon = p ? memrchr(end->whole.at, ':', end->whole.len) : NULL;
	percent = p ? memchr(end->whole.at, '%', end->whole.len) : NULL;
	if (!colon || !percent || percent >= colon - 1)
		return p;
	port = (struct word){ colon + 1, p - colon - 1 };
	for (end->addr.len = 0; end->addr.at + end->addr.len < percent; end->addr.len++)
		if (!of_address[(unsigned char)end->addr.at[end->addr.len]])
			return p;
	end->iface = (struct word){ percent + 1, colon - percent - 1 };
	end->odd = !end->addr.len ||
		   !(word_is(port, "*") ||
		     (parse_number(port, PORTS - 1, &end->port) && end->port));
	return p;
}

static inline const char *take_end(const char *p, struct end *end)
{
	const char *after = take_usual_end(p, end);

	return likely(field_ends(after)) ? after : take_other_end(p, end);
}

/* Its name's letters, and 4, 6, or 46. */
static inline const char *take_proto(const char *p, enum proto *proto)
{
	if (!memcmp(p, "tcp", 3)) {
		*proto = TCP4;
		p += 3;
	} else if (!memcmp(p, "udp", 3)) {
		*proto = UDP4;
		p += 3;
	} else if (!memcmp(p, "raw", 3)) {
		*proto = RAW4;
		p += 3;
	} else if (!memcmp(p, "icmp", 4)) {
		*proto = ICMP4;
		p += 4;
	} else {
		*proto = PACKET;
		return memcmp(p, "packet", 6) ? NULL : p + 6;
	}
	if (*p == '6') {
		++*proto;
	} else if (p[0] == '4' && p[1] == '6' && *proto <= UDP4) {
		*proto += 2;
		p++;
	} else if (*p != '4') {
		return NULL;
	}
	return p + 1;
}

static inline const char *take_state(const char *p, const struct state **state)
{
	static const struct state unknown = {
		"-", "-", TCP_BITS, false, false
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		if (!memcmp(p, states[i].stat, 4)) {
			*state = &states[i];
			return p + 4;
		}
	}
	*state = &unknown;
	return *p == '-' ? p + 1 : NULL;
}

static inline const char *take_held(const char *p, enum held *held)
{
	struct word word;

	/* As nearly all are. */
	if (p[0] == 'f' && p[1] == 'd' && p[2] == ' ') {
		*held = HELD_FD;
		return p + 2;
	}
	p = take_word(p, &word);
	for (*held = 0; p && *held < HELDS; ++*held)
		if (word_is(word, held_names[*held]))
			return p;
	return NULL;
}

static inline const char *take_type(const char *p, enum proto *proto)
{
	static const char types[][5] = { "strm", "dgrm", "seqp" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (!memcmp(p, types[i], 4)) {
			*proto = STREAM + i;
			return p + 4;
		}
	}
	return NULL;
}

/* A Unix socket's path is in the place of an address. */
static inline const char *take_path(const char *p, struct row *row)
{
	p = take_word(p, &row->local.whole);
	row->local.addr = row->local.whole;
	row->local.iface.len = 0;
	row->local.port = 0;
	row->foreign = (struct end){ .whole = { p, 0 }, .addr = { p, 0 } };
	row->held = HELD_UNKNOWN;
	row->netns.len = 0;
	return p;
}

/* Takes column @c of a row. */
static inline const char *take_column(const char *p, unsigned int c,
				      struct row *row)
{
	struct word word;
	u64 number;

	switch (c) {
	case UID:
		p = take_number(p, &row->uid);
		return row->uid <= UINT_MAX ? p : NULL;
	case PID:
		row->pid = 0;
		if (*p == '-')
			return p + 1;
		p = take_number(p, &row->pid);
		return row->pid && row->pid <= INT_MAX ? p : NULL;
	case COMM:
		return take_word(p, &row->comm);
	case FD:
		row->fd.at = p;
		p = *p == '-' ? p + 1 : take_number(p, &number);
		row->fd.len = p ? p - row->fd.at : 0;
		return p;
	case PROTO:
		return take_proto(p, &row->proto);
	case STAT:
		return take_state(p, &row->state);
	case LOCAL:
		return take_end(p, &row->local);
	case FOREIGN:
		return take_end(p, &row->foreign);
	case INODE:
		return take_number(p, &row->inode);
	case HELD:
		return take_held(p, &row->held);
	case CGROUP:
		row->cgroup = 0;
		return *p == '-' ? p + 1 : take_number(p, &row->cgroup);
	case NETNS:
		return take_word(p, &row->netns);
	case TYPE:
		return take_type(p, &row->proto);
	case PATH:
		return take_path(p, row);
	case PEER:
		row->peer = 0;
		return *p == '-' ? p + 1 : take_number(p, &row->peer);
	default:
		return take_word(p, &word);
	}
}

/*
 * The rows of a process follow each other, and begin alike: with UID, PID and
 * COMM. That is taken once, and remembered up to the blank that ends it.
 */
static struct {
	struct text text;
	size_t comm;		/* where in there COMM is */
} begin;

static void remember_begin(const char *start, const char *end,
			   const struct row *row)
{
	begin.text.len = 0;
	text_add(&begin.text, start, end - start);
	begin.comm = row->comm.at - start;
}

/* Whether the row at @start begins as the one before did. */
static inline bool begins_alike(const struct table *table, const char *start)
{
	size_t left = table->in.data + table->whole - start;

	return begin.text.len && begin.text.len < left &&
	       !memcmp(start, begin.text.data, begin.text.len) &&
	       start[begin.text.len] == ' ';
}

static inline bool is_mapped(struct word addr)
{
	return addr.len > 7 && addr.at[2] == 'f' && !memcmp(addr.at, "::ffff:", 7) &&
	       memchr(addr.at, '.', addr.len);
}

static bool parse_row(struct table *table, struct row *row)
{
	const char *start = table_row(table), *p = start;
	bool alike = begins_alike(table, start);
	size_t i = 0;

	if (alike) {
		row->comm.at = start + begin.comm;
		p += begin.text.len;
		i = COMM + 1;
	} else {
		row->process++;
		begin.text.len = 0;
	}
	for (; i < table->fields; i++) {
		p = take_column(skip_blanks(p), table->columns[i], row);
		if (!field_ends(p))
			return false;
		if (i == COMM && table->columns[UID] == UID &&
		    table->columns[PID] == PID && table->columns[COMM] == COMM)
			remember_begin(start, p, row);
	}
	row->mapped = BIT(row->proto) & (BIT(TCP6) | BIT(UDP6)) &&
		      is_mapped(row->local.addr);
	/* There is a descriptor where there is a process. */
	return row->state->protos & BIT(row->proto) &&
	       (row->proto == PACKET || is_unix(row) ||
		!(row->local.odd | row->foreign.odd)) &&
	       !row->pid == (*row->fd.at == '-') && table_row_ends(table, p);
}

/* Where in the table a process's rows are. */
struct span {
	u64 pid;
	size_t begin;
	size_t end;
};

/* The processes of the table, by PID, once one has turned up that shares. */
static struct span *spans;
static size_t span_count;

/* A process that shares its descriptors with one before, whose rows are shown for it. */
static struct {
	u64 pid;
	struct word comm;
	size_t at;
	size_t end;
	size_t resume;
} sharer;

static bool is_sharer(const char *p)
{
	return *skip_blanks(p) == '-';
}

/* The PID of a row, which is its second field; 0 if it has none. */
static u64 pid_of(const char *p)
{
	struct word word;
	u64 pid;

	p = take_word(skip_blanks(p), &word);
	return p && take_number(skip_blanks(p), &pid) ? pid : 0;
}

static void find_spans(void)
{
	const char *data = owner.in.data, *p = strchr(data, '\n') + 1, *end;
	size_t room = 0;
	u64 pid;

	for (; p < data + owner.whole; p = end) {
		end = memchr(p, '\n', data + owner.whole - p);
		end++;
		pid = pid_of(p);
		/* From here on it is sockets that nobody holds. */
		if (!pid)
			break;
		if (!span_count || spans[span_count - 1].pid != pid) {
			if (span_count == room) {
				room = 2 * room + 64;
				spans = more(spans, room, sizeof(*spans));
			}
			spans[span_count++] = (struct span){ pid, p - data, 0 };
		}
		spans[span_count - 1].end = end - data;
	}
}

static int by_pid(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* UID, PID, COMM and =PID; nothing else is said of such a process. */
static void begin_sharer(void)
{
	struct span key = { }, *found;
	struct word word, rest;
	const char *p;
	size_t n;

	if (!owner.all)
		table_read_all(&owner);
	if (!span_count)
		find_spans();
	p = take_word(skip_blanks(table_row(&owner)), &word);
	p = field_ends(p) ? take_number(skip_blanks(p), &sharer.pid) : NULL;
	p = field_ends(p) ? take_word(skip_blanks(p), &sharer.comm) : NULL;
	p = field_ends(p) ? skip_blanks(p) : NULL;
	p = p && *p == '=' ? take_number(p + 1, &key.pid) : NULL;
	for (n = FD + 1; n < owner.fields && field_ends(p); n++) {
		p = take_word(skip_blanks(p), &rest);
		if (!word_is(rest, "-"))
			p = NULL;
	}
	if (!word_is(word, "-") || !field_ends(p) || !sharer.pid || !key.pid ||
	    !table_row_ends(&owner, p))
		table_bad(&owner, "row");
	found = bsearch(&key, spans, span_count, sizeof(key), by_pid);
	if (!found || found->begin >= owner.row)
		table_bad(&owner, "row");
	sharer.at = found->begin;
	sharer.end = found->end;
	sharer.resume = owner.next;
	begin.text.len = 0;
}

/* The next row of the process that it shares with. */
static bool next_shared(struct row *row)
{
	while (sharer.at < sharer.end) {
		owner.row = sharer.at;
		if (is_sharer(table_row(&owner))) {
			/* Another of its tables, which is not what is shared. */
			sharer.at = strchr(table_row(&owner), '\n') + 1 -
				    owner.in.data;
			continue;
		}
		if (!parse_row(&owner, row))
			table_bad(&owner, "row");
		row->pid = sharer.pid;
		row->comm = sharer.comm;
		sharer.at = owner.next;
		return true;
	}
	if (sharer.end) {
		owner.next = sharer.resume;
		begin.text.len = 0;
		sharer.end = 0;
	}
	return false;
}

/**
 * rows_open() - open a file of rows
 * @path: where it is
 * @which: which one
 *
 * The one before is closed. To be followed by rows_header(), from wherever users are to
 * be looked up.
 */
void rows_open(char *path, enum rows which)
{
	if (owner.path) {
		free(owner.in.data);
		table_close(&owner);
	}
	which_rows = which;
	owner = (struct table){ .read_size = READ_SIZE };
	span_count = 0;
	begin.text.len = 0;
	table_must_open(&owner, path);
}

/**
 * rows_whole() - read all of it, before the header; what rows point at stays
 */
void rows_whole(void)
{
	table_read_whole(&owner);
}

/**
 * rows_header() - read the header; before the first row
 */
void rows_header(void)
{
	unsigned int found;
	size_t i;

	found = table_header_some(&owner, owner_columns, OWNER_COLUMNS,
				  which_rows == ROWS_INET ? INET_COLUMNS : UNIX_COLUMNS);
	if (which_rows == ROWS_INET && (opt.held || opt.cgroup || opt.all_netns) &&
	    (found & LATER_COLUMNS) != LATER_COLUMNS)
		die("the module is older than the program: %s lacks columns",
		    SHOWN(owner.path));
	/* What is not looked at need not be understood. */
	for (i = 0; i < owner.fields; i++)
		if ((owner.columns[i] == CGROUP &&
		     !(opt.cgroup || opt.json || opt.shown & BIT(C_CGROUP))) ||
		    (owner.columns[i] == HELD &&
		     !(opt.held || opt.json || opt.shown & BIT(C_HELD))))
			owner.columns[i] = OTHER;
}

/**
 * rows_next() - go to the next row; a process that shares its descriptors has
 * a row for each of them here
 * @row: the row; it knows the one before
 *
 * Return: false at the end.
 */
bool rows_next(struct row *row)
{
	for (;;) {
		if (sharer.end && next_shared(row))
			return true;
		if (!table_next(&owner))
			return false;
		if (parse_row(&owner, row))
			return true;
		if (!is_sharer(table_row(&owner)))
			table_bad(&owner, "row");
		begin_sharer();
	}
}

/**
 * row_unescape() - the bytes that a field of the row at hand stands for
 * @field: the field
 *
 * Return: the bytes, which stay until the next call.
 */
struct word row_unescape(struct word field)
{
	return table_unescape(&owner, field);
}
