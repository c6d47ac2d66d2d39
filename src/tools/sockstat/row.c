// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of sockowner, and those of unixowner behind them.
 *
 * Of a row only what must be known is looked at; what is printed as the file has it
 * need only be a word.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/host.h"
#include "../lib/say.h"
#include "sockstat.h"

#define READ_SIZE	(256 * 1024)

/* The columns of both files, and those that are taken as one. */
enum field {
	UID, PID, COMM, FD, PROTO, TYPE, STAT, LOCAL, FOREIGN, PATH, PEER, HELD,
	CGROUP, NETNS, INODE,
	FIELDS,
	HOLDER = FIELDS,	/* UID PID COMM */
	SCOPE,			/* HELD CGROUP NETNS */
};

static const char * const field_names[FIELDS] = {
	"UID", "PID", "COMM", "FD", "PROTO", "TYPE", "STAT", "LOCAL", "FOREIGN",
	"PATH", "PEER", "HELD", "CGROUP", "NETNS", "INODE",
};

/* What both have, in any version of the module. */
#define HOLDER_FIELDS	(BIT(UID) | BIT(PID) | BIT(COMM) | BIT(FD) | BIT(STAT) | BIT(INODE))

const union name held_names[HELDS] = {
	{ "-" }, { "fd" }, { "queue" }, { "syn" }, { "tw" }, { "orphan" }, { "kernel" },
};

/* As the files have them. */
static const union name protos[PROTOS] = {
	[TCP4] = { "tcp4" }, [TCP6] = { "tcp6" }, [TCP46] = { "tcp46" },
	[UDP4] = { "udp4" }, [UDP6] = { "udp6" }, [UDP46] = { "udp46" },
	[RAW4] = { "raw4" }, [RAW6] = { "raw6" },
	[ICMP4] = { "icmp4" }, [ICMP6] = { "icmp6" }, [PACKET] = { "packet" },
	[STREAM] = { "strm" }, [DGRAM] = { "dgrm" }, [SEQPACKET] = { "seqp" },
};

#define NOT_TCP_BITS	(BIT(PROTOS) - 1 - TCP_BITS)

static const struct state states[] = {
	{ "ESTB", "ESTABLISHED",	BIT(PROTOS) - 1 },
	{ "UNCN", "UNCONN",		NOT_TCP_BITS },
	{ "LSTN", "LISTEN",		TCP_BITS | UNIX_BITS },
	{ "TIMW", "TIME_WAIT",		TCP_BITS },
	{ "CLSW", "CLOSE_WAIT",		TCP_BITS },
	{ "FNW1", "FIN_WAIT_1",		TCP_BITS },
	{ "FNW2", "FIN_WAIT_2",		TCP_BITS },
	{ "SYNS", "SYN_SENT",		TCP_BITS | UNIX_BITS },
	{ "SYNR", "SYN_RCVD",		TCP_BITS },
	{ "LACK", "LAST_ACK",		TCP_BITS },
	{ "CLSG", "CLOSING",		TCP_BITS | UNIX_BITS },
	{ "CLSD", "CLOSED",		BIT(PROTOS) - 1 },
	/* None that the module has a name for; and where nobody asked. */
	{ "-",	  UNKNOWN,		BIT(PROTOS) - 1 - UDP_BITS },
};

/**
 * struct same - columns that stand together, and are often as in the row before
 * @text: what they were, up to the blank that ends them
 * @comm: where in there COMM is
 */
struct same {
	struct text text;
	size_t comm;
};

/* Where in a table a process's rows are. */
struct span {
	u64 pid;
	size_t begin;
	size_t end;
};

/**
 * struct source - a file of rows
 * @name: its name
 * @needed: the columns that it always has, by bit
 * @protos: what it lists
 * @table: it, open
 * @fields: how its rows are taken apart: enum field, or OTHER
 * @field_count: how many of them there are
 * @usual: whether they are usual_fields
 * @apart: whether a process's rows can't be told by them
 * @first: where the first row begins
 * @holder: UID, PID and COMM of the row before
 * @scope: HELD, CGROUP and NETNS of the row before
 * @spans: the processes of the table by PID, once one has turned up that shares
 * @span_count: how many
 * @sharer: a process that shares its descriptors with one before, whose rows, from
 *	@sharer.at to @sharer.end, are shown for it; then it goes on at @sharer.resume
 */
struct source {
	const char *name;
	unsigned int needed;
	unsigned int protos;
	struct table table;
	unsigned int *fields;
	size_t field_count;
	bool usual;
	bool apart;
	size_t first;
	struct same holder;
	struct same scope;
	struct span *spans;
	size_t span_count;
	struct {
		u64 pid;
		struct word comm;
		size_t at;
		size_t end;
		size_t resume;
	} sharer;
};

static struct source sources[] = {
	{
		.name = "sockowner", .protos = INET_BITS,
		.needed = HOLDER_FIELDS | BIT(PROTO) | BIT(LOCAL) | BIT(FOREIGN),
	}, {
		.name = "unixowner", .protos = UNIX_BITS,
		.needed = HOLDER_FIELDS | BIT(TYPE) | BIT(PATH) | BIT(PEER) |
			  BIT(CGROUP),
	},
};

#define SOURCES_END	(sources + ARRAY_SIZE(sources))

/* The one whose rows are read; and whether to end quietly where one is malformed. */
static struct source *source;
static bool quiet;

/*
 * Columns that nobody asked for, by bit: of their fields nothing is looked at. Of LOCAL and
 * FOREIGN it means that there is no need to know where the ports are.
 */
static unsigned int needless;

static bool is_wanted(const struct source *s)
{
	return opt.protos & s->protos;
}

/*
 * The last colon is between address and port; '*' is port 0. Where there are no
 * ports, as of a raw socket, it is whatever stands there.
 */
static inline const char *take_end(const char *p, struct end *end)
{
	const char *last, *colon;
	u64 port = 0, place = 1;

	p = take_word(p, &end->whole);
	end->mapped = 0;
	if (!p || needless & BIT(LOCAL))
		return p;
	last = p - 1;
	/* The port is read from its end: where it begins is not known yet. */
	for (colon = last; colon > end->whole.at && (unsigned char)(*colon - '0') <= 9;
	     colon--) {
		port += place * (*colon - '0');
		place *= 10;
	}
	end->colon = colon - end->whole.at;
	end->port = port;
	if (*colon == ':' && end->colon && port && last - colon <= 5)
		return p;
	if (*last == '*' && end->colon >= 2 && colon[-1] == ':') {
		end->colon--;
		end->port = 0;
		return p;
	}
	/* No port that there is. */
	colon = memrchr(end->whole.at, ':', end->whole.len) ?: p;
	end->colon = colon - end->whole.at;
	end->port = PORTS;
	return p;
}

/* One of @count @names, of which @which is the number. */
static __always_inline const char *take_one_of(const char *p, const union name *names,
					       unsigned int count, unsigned int *which)
{
	union name name;

	p = take_name(p, &name);
	for (*which = 0; p && *which < count; ++*which)
		if (names[*which].bytes == name.bytes)
			return p;
	return NULL;
}

static inline const char *take_state(const char *p, const struct state **state)
{
	union name name;
	size_t i;

	p = take_name(p, &name);
	for (i = 0; p && i < ARRAY_SIZE(states); i++) {
		if (!memcmp(states[i].stat, &name, sizeof(name))) {
			*state = &states[i];
			return p;
		}
	}
	return NULL;
}

/* A number, or '-' for 0. */
static inline const char *take_number_if_any(const char *p, u64 *number)
{
	*number = 0;
	return *p == '-' ? p + 1 : take_number(p, number);
}

static __always_inline const char *take_field(const char *p, unsigned int field,
					      struct row *row)
{
	unsigned int which;
	struct word word;
	u64 number;

	switch (field) {
	case UID:
		p = take_number(p, &row->uid);
		return row->uid <= UINT_MAX ? p : NULL;
	case PID:
		p = take_number_if_any(p, &row->pid);
		if (p && !row->pid && p[-1] != '-')
			return NULL;
		return row->pid <= INT_MAX ? p : NULL;
	case COMM:
		return take_word(p, &row->comm);
	case FD:
		row->fd.at = p;
		p = take_number_if_any(p, &number);
		row->fd.len = p ? p - row->fd.at : 0;
		return p;
	case PROTO:
	case TYPE:
		p = take_one_of(p, protos, PROTOS, &which);
		row->proto = which;
		return p;
	case STAT:
		if (needless & BIT(STAT))
			return take_word(p, &word);
		return take_state(p, &row->state);
	case LOCAL:
		return take_end(p, &row->local);
	case FOREIGN:
		return take_end(p, &row->foreign);
	case PATH:
		return take_word(p, &row->path);
	case PEER:
		return take_number_if_any(p, &row->peer);
	case HELD:
		p = take_one_of(p, held_names, HELDS, &which);
		row->held = which;
		return p;
	case CGROUP:
		return take_number_if_any(p, &row->cgroup);
	case NETNS:
		return take_number_if_any(p, &row->netns);
	case INODE:
		return take_number(p, &row->inode);
	default:
		return take_word(p, &word);
	}
}

/* Whether what begins at @p is what it was in the row before. */
static inline bool is_same(const struct source *s, const struct same *same, const char *p)
{
	size_t left = s->table.in.data + s->table.whole - p;

	return same->text.len && same->text.len < left &&
	       !memcmp(p, same->text.data, same->text.len) && p[same->text.len] == ' ';
}

static const char *take_fields(const char *p, unsigned int field, size_t count,
			       struct row *row)
{
	for (; p && count; field++, count--) {
		p = take_field(skip_blanks(p), field, row);
		if (!field_ends(p))
			return NULL;
	}
	return p;
}

static void remember(struct same *same, const char *from, const char *to)
{
	same->text.len = 0;
	if (to)
		text_add(&same->text, from, to - from);
}

static inline const char *take_holder(struct source *s, const char *p, struct row *row)
{
	const char *end;

	if (is_same(s, &s->holder, p)) {
		row->comm.at = p + s->holder.comm;
		return p + s->holder.text.len;
	}
	row->process++;
	end = take_fields(p, UID, COMM - UID + 1, row);
	remember(&s->holder, p, end);
	if (end)
		s->holder.comm = row->comm.at - p;
	return end;
}

static inline const char *take_scope(struct source *s, const char *p, struct row *row)
{
	const char *end;

	if (is_same(s, &s->scope, p))
		return p + s->scope.text.len;
	end = take_fields(p, HELD, NETNS - HELD + 1, row);
	remember(&s->scope, p, end);
	return end;
}

/* Where the IPv4 address begins that is mapped to an IPv6 one, if it is; else 0. */
static size_t mapped_at(const struct end *end)
{
	static const char prefix[] = "::ffff:";
	size_t len = sizeof(prefix) - 1;
	const char *addr = end->whole.at + len, *colon;

	if (end->whole.len <= len || memcmp(end->whole.at, prefix, len))
		return 0;
	/* The port's colon is the only other one, and there are dots. */
	colon = memchr(addr, ':', end->whole.len - len);
	return colon && !memchr(colon + 1, ':', end->whole.at + end->whole.len - colon - 1) &&
	       memchr(addr, '.', colon - addr) ? len : 0;
}

/* A socket with mapped addresses is IPv4's, whatever it was made as. */
static void unmap(struct row *row)
{
	row->local.mapped = mapped_at(&row->local);
	row->foreign.mapped = mapped_at(&row->foreign);
	if (row->local.mapped || row->foreign.mapped)
		row->proto = row->proto == TCP6 ? TCP4 : UDP4;
}

/* Takes the fields of a row; returns where the last one ends, NULL if one is malformed. */
static __always_inline const char *take_row(struct source *s, const unsigned int *fields,
					    size_t count, struct row *row)
{
	const char *p = table_row(&s->table);
	size_t i;

#pragma GCC unroll 16
	for (i = 0; i < count; i++) {
		p = skip_blanks(p);
		if (fields[i] == HOLDER)
			p = take_holder(s, p, row);
		else if (fields[i] == SCOPE)
			p = take_scope(s, p, row);
		else
			p = take_field(p, fields[i], row);
		if (!field_ends(p))
			return NULL;
	}
	return p;
}

/* As sockowner has them; where that is known the compiler makes the most of it. */
static const unsigned int usual_fields[] = {
	HOLDER, FD, PROTO, STAT, LOCAL, FOREIGN, SCOPE, INODE,
};

static bool is_usual(const struct source *s)
{
	return s->field_count == ARRAY_SIZE(usual_fields) &&
	       !memcmp(s->fields, usual_fields, sizeof(usual_fields));
}

/* Where the line ends that @p is in. */
static const char *line_end(const struct table *table, const char *p)
{
	const char *whole = table->in.data + table->whole;

	return (const char *)memchr(p, '\n', whole - p) + 1;
}

/* Takes the row at hand, and ends it; false if it is malformed. */
static inline bool take_whole_row(struct source *s, struct row *row)
{
	const char *p;

	if (s->usual && needless & BIT(INODE)) {
		p = take_row(s, usual_fields, ARRAY_SIZE(usual_fields) - 1, row);
		if (p)
			s->table.next = line_end(&s->table, p) - s->table.in.data;
		return p;
	}
	p = s->usual ? take_row(s, usual_fields, ARRAY_SIZE(usual_fields), row) :
		       take_row(s, s->fields, s->field_count, row);
	return p && table_row_ends(&s->table, p);
}

static bool has_state(const struct source *s, const struct row *row)
{
	return needless & BIT(STAT) ? s->protos & BIT(row->proto) :
	       row->state->protos & s->protos & BIT(row->proto);
}

static bool parse_row(struct source *s, struct row *row)
{
	row->process += s->apart;
	/* There is a descriptor where there is a process. */
	if (!take_whole_row(s, row) || !row->pid != (*row->fd.at == '-') ||
	    !has_state(s, row))
		return false;
	if (BIT(row->proto) & (BIT(TCP6) | BIT(UDP6)))
		unmap(row);
	return needless & BIT(LOCAL) || !(BIT(row->proto) & PORT_BITS) ||
	       (row->local.port != PORTS && row->foreign.port != PORTS);
}

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

static void find_spans(struct source *s)
{
	const char *data = s->table.in.data, *p = data + s->first, *end;
	const char *whole = data + s->table.whole;
	size_t room = 0;
	u64 pid;

	for (; p < whole; p = end) {
		end = line_end(&s->table, p);
		pid = pid_of(p);
		/* From here on it is sockets that nobody holds. */
		if (!pid)
			break;
		if (!s->span_count || s->spans[s->span_count - 1].pid != pid) {
			if (s->span_count == room) {
				room = 2 * room + 64;
				s->spans = more(s->spans, room, sizeof(*s->spans));
			}
			s->spans[s->span_count++] = (struct span){ pid, p - data, 0 };
		}
		s->spans[s->span_count - 1].end = end - data;
	}
}

static int by_pid(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* UID, PID, COMM and =PID; nothing else is said of such a process. */
static bool begin_sharer(struct source *s)
{
	struct table *table = &s->table;
	struct span key = { }, *found = NULL;
	struct word word, rest;
	const char *p;
	size_t n;

	if (!table->all)
		table_read_all(table);
	if (!s->spans)
		find_spans(s);
	p = take_word(skip_blanks(table_row(table)), &word);
	p = field_ends(p) ? take_number(skip_blanks(p), &s->sharer.pid) : NULL;
	p = field_ends(p) ? take_word(skip_blanks(p), &s->sharer.comm) : NULL;
	p = field_ends(p) ? skip_blanks(p) : NULL;
	p = p && *p == '=' ? take_number(p + 1, &key.pid) : NULL;
	for (n = FD + 1; n < table->fields && field_ends(p); n++) {
		p = take_word(skip_blanks(p), &rest);
		if (!word_is(rest, "-"))
			p = NULL;
	}
	if (!word_is(word, "-") || !field_ends(p) || !s->sharer.pid || !key.pid ||
	    !table_row_ends(table, p))
		return false;
	if (s->spans)
		found = bsearch(&key, s->spans, s->span_count, sizeof(key), by_pid);
	if (!found || found->begin >= table->row)
		return false;
	s->sharer.at = found->begin;
	s->sharer.end = found->end;
	s->sharer.resume = table->next;
	s->holder.text.len = 0;
	return true;
}

static bool bad_row(const struct source *s)
{
	if (!quiet)
		table_bad(&s->table, "row");
	return false;
}

/* The next row of a source; false at its end. */
static bool source_next(struct source *s, struct row *row)
{
	struct table *table = &s->table;

	for (;;) {
		if (s->sharer.end && s->sharer.at == s->sharer.end) {
			table->next = s->sharer.resume;
			s->holder.text.len = 0;
			s->sharer.end = 0;
		}
		if (s->sharer.end)
			table->row = s->sharer.at;
		else if (!(quiet ? table_line(table) : table_next(table)))
			return false;
		if (parse_row(s, row)) {
			if (s->sharer.end) {
				row->pid = s->sharer.pid;
				row->comm = s->sharer.comm;
				s->sharer.at = table->next;
			}
			return true;
		}
		s->holder.text.len = 0;
		s->scope.text.len = 0;
		if (!is_sharer(table_row(table)))
			return bad_row(s);
		/* Another of its tables is not what is shared. */
		if (s->sharer.end)
			s->sharer.at = line_end(table, table_row(table)) - table->in.data;
		else if (!begin_sharer(s))
			return bad_row(s);
	}
}

/* Where an older module lacks what is asked for. */
static void must_have(const struct source *s, unsigned int has, enum field field)
{
	if (!(has & BIT(field)))
		die("%s has no %s: the module is older than this program",
		    SHOWN(s->table.path), field_names[field]);
}

static void check_fields(const struct source *s, unsigned int has)
{
	if (s->protos & UNIX_BITS)
		return;
	if (opt.held || opt.shown & BIT(C_HELD))
		must_have(s, has, HELD);
	if (opt.cgroup || opt.shown & BIT(C_CGROUP))
		must_have(s, has, CGROUP);
	if (opt.all_netns || opt.netns_by_number)
		must_have(s, has, NETNS);
}

/* Whether columns are @first and those that follow it in enum field, in that order. */
static bool stand_together(const unsigned int *columns, size_t left, unsigned int first,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (i == left || columns[i] != first + i)
			return false;
	return true;
}

static void plan_fields(struct source *s)
{
	const unsigned int *columns = s->table.columns;
	bool has_holder = false;
	size_t i = 0, left;

	s->fields = more(NULL, s->table.fields, sizeof(*s->fields));
	while (i < s->table.fields) {
		left = s->table.fields - i;
		if (stand_together(columns + i, left, UID, COMM - UID + 1)) {
			s->fields[s->field_count++] = HOLDER;
			has_holder = true;
			i += COMM - UID + 1;
		} else if (stand_together(columns + i, left, HELD, NETNS - HELD + 1)) {
			s->fields[s->field_count++] = SCOPE;
			i += NETNS - HELD + 1;
		} else {
			s->fields[s->field_count++] = columns[i++];
		}
	}
	s->usual = is_usual(s);
	s->apart = !has_holder;
}

/* What is not needed of sockowner. */
static unsigned int find_needless(void)
{
	unsigned int fields = 0;

	if (opt.json || opt.verbose || opt.protos & UNIX_BITS)
		return 0;
	if (!opt.ports && !opt.no_loopback && !opt.connected && !opt.listening)
		fields |= BIT(LOCAL) | BIT(FOREIGN);
	if (!opt.by_user && !opt.connected && !opt.listening && !(opt.shown & BIT(C_STATE)))
		fields |= BIT(STAT);
	if (!(opt.shown & BIT(C_INODE)) && !tables_wanted())
		fields |= BIT(INODE);
	return fields;
}

/**
 * rows_open() - open what is to be listed
 * @dir: where it is
 *
 * To be followed by rows_header(), from wherever users are to be looked up.
 */
void rows_open(const char *dir)
{
	char *path, *other = formatted("%s/sockowner", dir);
	struct source *s;

	for (s = sources; s < SOURCES_END; s++) {
		if (!is_wanted(s))
			continue;
		path = formatted("%s/%s", dir, s->name);
		s->table.read_size = READ_SIZE;
		if (table_open(&s->table, path))
			continue;
		if (!access(other, F_OK))
			die("no %s: the module is older than this program", SHOWN(path));
		table_must_open(&s->table, path);
	}
	free(other);
}

/**
 * rows_header() - read the headers; before the first row
 */
void rows_header(void)
{
	struct source *s;

	for (s = sources; s < SOURCES_END; s++) {
		if (!is_wanted(s))
			continue;
		check_fields(s, table_header_some(&s->table, field_names, FIELDS,
						  s->needed));
		plan_fields(s);
		s->first = s->table.next;
	}
	source = sources;
	needless = find_needless();
}

/**
 * rows_keep() - read all rows now; before the headers
 *
 * So that what they point at stays, and there is a way back to the first.
 */
void rows_keep(void)
{
	struct source *s;

	for (s = sources; s < SOURCES_END; s++)
		if (is_wanted(s))
			table_read_whole(&s->table);
}

/**
 * rows_rewind() - go back to before the first row
 * @be_quiet: take a malformed row for the end; it will be met again
 */
void rows_rewind(bool be_quiet)
{
	struct source *s;

	for (s = sources; s < SOURCES_END; s++) {
		s->table.next = s->first;
		s->holder.text.len = 0;
		s->scope.text.len = 0;
		s->sharer.end = 0;
	}
	source = sources;
	quiet = be_quiet;
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
	if (needless & BIT(STAT))
		row->state = &states[ARRAY_SIZE(states) - 1];
	for (; source < SOURCES_END; source++)
		if (is_wanted(source) && source_next(source, row)) {
			if (source->protos & UNIX_BITS)
				row->held = row->pid ? HELD_FD : HELD_NONE;
			return true;
		}
	return false;
}

/**
 * row_unescape() - the bytes that a field of the row at hand stands for
 * @field: the field
 *
 * Return: the bytes, which stay until the next call.
 */
struct word row_unescape(struct word field)
{
	struct word bytes;

	/* What is malformed will be met again. */
	if (quiet && !unescape(field, &bytes))
		return field;
	return table_unescape(&source->table, field);
}
