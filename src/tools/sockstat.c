// SPDX-License-Identifier: GPL-2.0
/*
 * sockstat: prints which process holds which TCP and UDP sockets, in the layout
 * of FreeBSD's sockstat.
 *
 * All it knows is in /proc/net/sockowner, where it finds columns by their names.
 * Only -C and -a look elsewhere: into tcpstat and tcp6stat of the same module,
 * and into the processes' cmdline.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "sockstat"
#include "text.h"

/* Below which the tests keep a /proc and a /run of their own. */
#ifndef SOCKSTAT_ROOT
#define SOCKSTAT_ROOT ""
#endif
#ifndef KNETSTAT_VERSION
#define KNETSTAT_VERSION "unknown"
#endif

#define PROC		SOCKSTAT_ROOT "/proc"
#define NETNS_DIR	SOCKSTAT_ROOT "/run/netns"
#define OWN_NETNS	PROC "/self/ns/net"

#define PORTS		65536
#define READ_SIZE	(256 * 1024)
#define WRITE_SIZE	(64 * 1024)
/* How far behind the end of what was read somebody may look. */
#define SLACK		32
/* As long as the names of processes are, and what is shown of their arguments. */
#define COMM_MAX	15
#define ARGS_MAX	4096

enum proto {
	TCP4, TCP6, UDP4, UDP6,
	PROTOS
};

#define BIT(n)		(1U << (n))
#define TCP_BITS	(BIT(TCP4) | BIT(TCP6))
#define UDP_BITS	(BIT(UDP4) | BIT(UDP6))
#define IPV4_BITS	(BIT(TCP4) | BIT(UDP4))
#define IPV6_BITS	(BIT(TCP6) | BIT(UDP6))
#define ALL_BITS	(TCP_BITS | UDP_BITS)

static const char * const proto_names[PROTOS] = {
	"tcp4", "tcp6", "udp4", "udp6",
};

/* The columns that can be printed, in the order they are printed in. */
enum column {
	C_NETNS, C_USER, C_COMMAND, C_PID, C_FD, C_PROTO, C_LOCAL, C_FOREIGN,
	C_INODE, C_STATE, C_CC, C_ARGUMENTS,
	COLUMNS
};

/* Widths with -w are for IPv6 addresses, and for most that there is at all. */
static const struct {
	const char *title;
	unsigned int width;
	unsigned int wide;
} columns[COLUMNS] = {
	[C_NETNS]	= { "NETNS", 10, 16 },
	[C_USER]	= { "USER", 8, 16 },
	[C_COMMAND]	= { "COMMAND", 10, COMM_MAX },
	[C_PID]		= { "PID", 5, 7 },
	[C_FD]		= { "FD", 3, 5 },
	[C_PROTO]	= { "PROTO", 6, 6 },
	[C_LOCAL]	= { "LOCAL ADDRESS", 21, 45 },
	[C_FOREIGN]	= { "FOREIGN ADDRESS", 21, 45 },
	[C_INODE]	= { "INODE", 10, 10 },
	[C_STATE]	= { "STATE", 11, 11 },
	[C_CC]		= { "CC", 8, 15 },
	[C_ARGUMENTS]	= { "ARGUMENTS", 0, 0 },
};

static struct {
	unsigned int shown;		/* the columns, by bit */
	unsigned int family;		/* -4, -6: protocols, by bit; 0: all */
	unsigned int protos;		/* -P */
	bool connected;
	bool listening;
	bool no_header;
	bool no_loopback;
	bool numeric;
	bool wide;
	bool json;
	bool *ports;			/* by port; NULL: all */
	bool by_user;
	u64 uid;
	u64 *pids;			/* NULL: all */
	size_t pid_count;
	const char *command;		/* NULL: all */
	const char *netns;		/* a name; NULL: not by name */
	u64 netns_pid;			/* 0: not by PID */
} opt = {
	.shown = BIT(C_USER) | BIT(C_COMMAND) | BIT(C_PID) | BIT(C_FD) |
		 BIT(C_PROTO) | BIT(C_LOCAL) | BIT(C_FOREIGN),
	.protos = ALL_BITS,
};

/**
 * struct word - a field of a row, which stays where it was read
 * @at: its first byte
 * @len: how many it has
 */
struct word {
	const char *at;
	size_t len;
};

/**
 * struct table - a table of the module's, open
 * @path: its file
 * @fd: the same
 * @in: what has been read of it
 * @row: where in there the row at hand begins
 * @next: where the next one does
 * @whole: where the last whole line ends
 * @columns: which column a row's fields are, as an index of names that somebody
 *	has given, or OTHER
 * @fields: how many fields a row has
 */
struct table {
	char *path;
	int fd;
	struct text in;
	size_t row;
	size_t next;
	size_t whole;
	unsigned int *columns;
	size_t fields;
};

#define OTHER	UINT_MAX

/* The columns of sockowner. */
enum {
	UID, PID, COMM, FD, PROTO, STAT, LOCAL, FOREIGN, INODE,
	OWNER_COLUMNS
};

static const char * const owner_columns[OWNER_COLUMNS] = {
	"UID", "PID", "COMM", "FD", "PROTO", "STAT", "LOCAL", "FOREIGN",
	"INODE",
};

/**
 * struct state - a socket's state
 * @stat: as the module has it
 * @name: as FreeBSD has it; of UDP, which has none there, as ss does
 * @protos: of which protocols it is one
 * @connected: whether -c takes it
 * @listening: whether -l takes it, given that there is a local port
 */
struct state {
	char stat[5];
	char name[12];
	unsigned int protos;
	bool connected;
	bool listening;
};

static const struct state states[] = {
	{ "ESTB", "ESTABLISHED",	ALL_BITS,	true,	false },
	{ "TIMW", "TIME_WAIT",		TCP_BITS,	true,	false },
	{ "UNCN", "UNCONN",		UDP_BITS,	false,	true },
	{ "LSTN", "LISTEN",		TCP_BITS,	false,	true },
	{ "SYNS", "SYN_SENT",		TCP_BITS,	true,	false },
	{ "SYNR", "SYN_RCVD",		TCP_BITS,	true,	false },
	{ "FNW1", "FIN_WAIT_1",		TCP_BITS,	true,	false },
	{ "FNW2", "FIN_WAIT_2",		TCP_BITS,	true,	false },
	{ "CLSW", "CLOSE_WAIT",		TCP_BITS,	true,	false },
	{ "LACK", "LAST_ACK",		TCP_BITS,	true,	false },
	{ "CLSG", "CLOSING",		TCP_BITS,	true,	false },
	{ "CLSD", "CLOSED",		TCP_BITS,	false,	false },
};

/**
 * struct end - an address and a port
 * @whole: both, as the file has them
 * @addr: the address
 * @port: the port; 0: none
 */
struct end {
	struct word whole;
	struct word addr;
	u64 port;
};

/**
 * struct row - a row of sockowner
 * @process: a number that the rows of a process that follow each other share,
 *	if they have the same UID
 * @uid: the socket owner's
 * @pid: the process that holds it; 0: none, as far as we may know
 * @comm: the process's name, escaped
 * @fd: by which descriptor
 * @proto: the protocol
 * @state: the state
 * @local: this end
 * @foreign: the other one
 * @inode: the socket's inode number, or 0
 */
struct row {
	unsigned long process;
	u64 uid;
	u64 pid;
	struct word comm;
	struct word fd;
	enum proto proto;
	const struct state *state;
	struct end local;
	struct end foreign;
	u64 inode;
};

/**
 * struct user - a user whose name has been looked up
 * @next: another one in the same bucket
 * @uid: the number
 * @known: there is such a name
 * @name: the name, or else the number
 */
struct user {
	struct user *next;
	u64 uid;
	bool known;
	char name[];
};

/**
 * struct congestion - what -C found out about a socket
 * @inode: the socket
 * @name: its congestion control
 */
struct congestion {
	u64 inode;
	const char *name;
};

static struct table owner;
static struct text out;			/* rows to be written */
static size_t row_start;		/* where in there the last one begins */
static size_t row_extra;		/* its bytes that are no characters */

static struct congestion *congestions;	/* by inode */
static size_t congestion_count;

static u64 netns_inode;			/* 0: not known */

static noreturn void finish(int status)
{
	exit(status);
}

static __printf(1, 2) char *formatted(const char *format, ...)
{
	va_list args;
	char *str;
	int n;

	va_start(args, format);
	n = vasprintf(&str, format, args);
	va_end(args);
	if (n < 0) {
		say("no memory");
		exit(1);
	}
	return str;
}

static void text_set(struct text *text, const char *data, size_t len)
{
	text->len = 0;
	text_add(text, data, len);
}

/*
 * Writing
 */

static void flush_rows(void)
{
	struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t done = 0;
	ssize_t n;

	while (done < out.len) {
		n = write(STDOUT_FILENO, out.data + done, out.len - done);
		if (n >= 0) {
			done += n;
		} else if (errno == EAGAIN) {
			poll(&ready, 1, -1);
		} else if (errno == EPIPE) {
			/* Only where SIGPIPE is ignored. */
			exit(1);
		} else if (errno != EINTR) {
			say("cannot write: %s", strerror(errno));
			exit(1);
		}
	}
	out.len = 0;
	row_start = 0;
}

static inline void put(const char *data, size_t len)
{
	text_add(&out, data, len);
}

/* A field of a row: it is short as a rule, and has SLACK behind it. */
static inline void put_field(const char *at, size_t len)
{
	text_reserve(&out, len + SLACK);
	if (len <= SLACK)
		memcpy(out.data + out.len, at, SLACK);
	else
		memcpy(out.data + out.len, at, len);
	out.len += len;
}

static void put_str(const char *str)
{
	put(str, strlen(str));
}

static void put_number(u64 number)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = '0' + number % 10;
		number /= 10;
	} while (number);
	put(p, digits + sizeof(digits) - p);
}

/* A blank, and as many more as the row is short of @column. */
static inline void put_blanks(size_t column)
{
	static const char blanks[16] = "                ";
	size_t width = out.len - row_start - row_extra;
	size_t n = column > width ? column - width : 1, i;

	/* Sixteen at once are cheaper than to call memset(). */
	text_reserve(&out, n + sizeof(blanks));
	for (i = 0; i < n; i += sizeof(blanks))
		memcpy(out.data + out.len + i, blanks, sizeof(blanks));
	out.len += n;
}

/*
 * Reading
 */

static noreturn void bad_line(const struct table *table, const char *what)
{
	const char *line = table->in.data + table->row;
	size_t len = table->in.len - table->row, i;
	char shown[64];

	for (i = 0; i < len && line[i] != '\n' && i < sizeof(shown) - 1; i++)
		shown[i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	shown[i] = '\0';
	/* All rows before it, and nothing of this one. */
	out.len = row_start;
	flush_rows();
	say("%s: malformed %s: %s%s", table->path + strlen(SOCKSTAT_ROOT), what,
	    shown, i < len && line[i] != '\n' ? "..." : "");
	exit(1);
}

/*
 * Opens the file @name of @dir, which is somebody's /proc/net; false if there is
 * no such file.
 */
static bool open_table(struct table *table, const char *dir, const char *name)
{
	table->path = formatted("%s/%s", dir, name);
	table->fd = open(table->path, O_RDONLY | O_CLOEXEC);
	if (table->fd < 0 && errno != ENOENT) {
		say("cannot open %s: %s", table->path + strlen(SOCKSTAT_ROOT),
		    strerror(errno));
		exit(1);
	}
	return table->fd >= 0;
}

/* The same, where there has to be one. */
static void must_open(struct table *table, const char *dir, const char *name)
{
	if (open_table(table, dir, name))
		return;
	say("no %s: the module is not loaded (modprobe knetstat)",
	    table->path + strlen(SOCKSTAT_ROOT));
	exit(1);
}

/* Adds what the next read gives; false at the end. */
static bool read_more(struct table *table)
{
	const char *path = table->path + strlen(SOCKSTAT_ROOT);
	struct text *in = &table->in;
	const char *end;
	ssize_t n;

	in->len -= table->next;
	if (table->next && in->len)
		memmove(in->data, in->data + table->next, in->len);
	table->row = 0;
	table->next = 0;
	text_reserve(in, READ_SIZE + SLACK);
	do {
		n = read(table->fd, in->data + in->len,
			 in->size - in->len - SLACK);
	} while (n < 0 && errno == EINTR);
	/* procfs takes a file away from who has it open when its module goes. */
	if (n < 0 && (errno == EIO || errno == ENODEV)) {
		say("%s has gone: the module knetstat was unloaded", path);
		exit(1);
	}
	if (n < 0) {
		say("cannot read %s: %s", path, strerror(errno));
		exit(1);
	}
	end = memrchr(in->data + in->len, '\n', n);
	in->len += n;
	table->whole = end ? end + 1 - in->data : 0;
	return n;
}

/* Goes to the next row, which is a whole line; false at the end of the table. */
static bool next_row(struct table *table)
{
	table->row = table->next;
	while (table->row == table->whole) {
		if (read_more(table))
			continue;
		/* Half a line is worse than none. */
		if (table->in.len)
			bad_line(table, "row");
		return false;
	}
	return true;
}

/*
 * What takes a field begins at its first byte and returns where it ends, or NULL
 * if it is none of that kind. None goes past the end of the line, and none lets
 * anything through but ASCII that a terminal may see.
 */

static inline const char *take_word(const char *p, struct word *word)
{
	word->at = p;
	while ((unsigned char)(*p - '!') <= '~' - '!')
		p++;
	word->len = p - word->at;
	return word->len ? p : NULL;
}

static inline const char *take_number(const char *p, u64 *number)
{
	const char *begin = p;
	unsigned int digit;
	u64 n = 0;

	while ((digit = *p - '0') <= 9) {
		n = n * 10 + digit;
		p++;
	}
	*number = n;
	/* More digits might not fit; nothing that we count is so large. */
	return p > begin && p - begin <= 19 ? p : NULL;
}

/* The last colon is between address and port; '*' is port 0. */
static inline const char *take_end(const char *p, struct end *end)
{
	static const bool of_address[256] = {
		['0' ... '9'] = true, ['a' ... 'f'] = true, ['.'] = true,
		[':'] = true,
	};
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
	end->whole = (struct word){ begin, p - begin };
	return p;
}

static inline const char *skip_blanks(const char *p)
{
	while (!memcmp(p, "        ", 8))
		p += 8;
	while (*p == ' ')
		p++;
	return p;
}

static inline bool field_ends(const char *p)
{
	return p && (*p == ' ' || *p == '\n');
}

/* Ends the row behind its last field. */
static bool row_ends(struct table *table, const char *p)
{
	p = skip_blanks(p);
	table->next = p + 1 - table->in.data;
	return *p == '\n';
}

static struct word word_of(const char *str)
{
	return (struct word){ str, strlen(str) };
}

static bool parse_number(struct word word, u64 max, u64 *number)
{
	return take_number(word.at, number) == word.at + word.len &&
	       *number <= max;
}

static inline bool word_is(struct word word, const char *str)
{
	return word.len == strlen(str) && !memcmp(word.at, str, word.len);
}

/* Reads the header, and finds there @count columns that we need, by their names. */
static void read_header(struct table *table, const char * const names[],
			unsigned int count)
{
	unsigned int c, found = 0;	/* by bit */
	struct word word;
	const char *p;

	if (!next_row(table)) {
		say("%s: no header", table->path + strlen(SOCKSTAT_ROOT));
		exit(1);
	}
	p = skip_blanks(table->in.data + table->row);
	while (*p != '\n') {
		p = take_word(p, &word);
		if (!field_ends(p))
			bad_line(table, "header");
		for (c = 0; c < count && !word_is(word, names[c]); c++)
			;
		if (c < count)
			found |= BIT(c);
		table->columns = more(table->columns, table->fields + 1,
				      sizeof(*table->columns));
		table->columns[table->fields++] = c < count ? c : OTHER;
		p = skip_blanks(p);
	}
	if (found != BIT(count) - 1 || !row_ends(table, p))
		bad_line(table, "header");
}

static inline const char *take_proto(const char *p, enum proto *proto)
{
	for (*proto = 0; *proto < PROTOS; ++*proto)
		if (!memcmp(p, proto_names[*proto], 4))
			return p + 4;
	return NULL;
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
	text_set(&begin.text, start, end - start);
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

static bool parse_row(struct table *table, struct row *row)
{
	const char *start = table->in.data + table->row, *p = start;
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
	/* There is a descriptor where there is a process. */
	return row->state->protos & BIT(row->proto) &&
	       !row->pid == (*row->fd.at == '-') && row_ends(table, p);
}

/* The bytes that a field stands for: the kernel writes some as \ooo. */
static struct word unescape(struct word field)
{
	static struct text bytes;
	unsigned int byte;
	size_t i = 0;
	int digit;

	if (!memchr(field.at, '\\', field.len))
		return field;
	bytes.len = 0;
	text_reserve(&bytes, field.len);
	while (i < field.len) {
		byte = (unsigned char)field.at[i++];
		if (byte == '\\') {
			byte = 0;
			for (digit = 0; digit < 3; digit++, i++) {
				if (i == field.len || field.at[i] < '0' ||
				    field.at[i] > '7')
					bad_line(&owner, "row");
				byte = byte << 3 | (field.at[i] - '0');
			}
			if (byte > 0xff)
				bad_line(&owner, "row");
		}
		bytes.data[bytes.len++] = byte;
	}
	return (struct word){ bytes.data, bytes.len };
}

/* At most @max characters of what somebody else has written. */
static void put_text(struct word text, size_t max)
{
	size_t used, chars;

	for (chars = 0; text.len && chars < max; chars++) {
		if (printable(next_char(text.at, text.len, &used))) {
			put(text.at, used);
			row_extra += used - 1;
		} else {
			put("?", 1);
		}
		text.at += used;
		text.len -= used;
	}
}

/*
 * What is looked up elsewhere
 */

/* The name of a user, who is looked up once. */
static const struct user *user_of(u64 uid)
{
	static struct user *users[256];
	struct user **bucket = &users[uid % ARRAY_SIZE(users)], *user;
	struct passwd *entry;
	char number[21];
	const char *name;
	size_t size;

	for (user = *bucket; user; user = user->next)
		if (user->uid == uid)
			return user;
	entry = getpwuid(uid);
	snprintf(number, sizeof(number), "%llu", uid);
	name = entry ? entry->pw_name : number;
	size = strlen(name) + 1;
	user = more(NULL, sizeof(*user) + size, 1);
	user->uid = uid;
	user->known = entry;
	memcpy(user->name, name, size);
	user->next = *bucket;
	*bucket = user;
	return user;
}

/*
 * The arguments of a process, with a NUL after each but the last; none if it
 * has none or is gone. The rows of a process follow each other.
 */
static struct word arguments(u64 pid)
{
	static char args[ARGS_MAX];
	static size_t len;
	static u64 last_pid;
	char path[sizeof(PROC) + 32];
	ssize_t n = 0;
	int fd;

	if (pid != last_pid) {
		last_pid = pid;
		len = 0;
		snprintf(path, sizeof(path), PROC "/%llu/cmdline", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			do {
				n = read(fd, args + len, sizeof(args) - len);
				len += n > 0 ? n : 0;
			} while (n > 0 && len < sizeof(args));
			close(fd);
		}
		while (len && !args[len - 1])
			len--;
	}
	return (struct word){ args, len };
}

static int by_inode(const void *a, const void *b)
{
	const struct congestion *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* NULL where it is not known: only of TCP sockets that are in the tables. */
static const char *congestion_of(const struct row *row)
{
	struct congestion key = { .inode = row->inode }, *found = NULL;

	if (row->inode && congestion_count && BIT(row->proto) & TCP_BITS)
		found = bsearch(&key, congestions, congestion_count,
				sizeof(key), by_inode);
	return found ? found->name : NULL;
}

/* The value of @name in a list of NAME=value; nothing if it is not there. */
static struct word option_value(struct word list, const char *name)
{
	size_t len = strlen(name);
	struct word one;
	const char *comma;

	while (list.len) {
		comma = memchr(list.at, ',', list.len);
		one.at = list.at;
		one.len = comma ? (size_t)(comma - list.at) : list.len;
		list.at += one.len + !!comma;
		list.len -= one.len + !!comma;
		if (one.len > len && !memcmp(one.at, name, len) &&
		    one.at[len] == '=')
			return (struct word){ one.at + len + 1,
					      one.len - len - 1 };
	}
	return (struct word){ };
}

/* Rows of a table of TCP sockets name what is not @usual. */
static void read_congestions(struct table *table, const char *usual)
{
	static const char * const names[] = { "Inode", "Options" };
	static size_t room;
	struct congestion *one;
	struct word word, value = { };
	const char *p;
	u64 inode = 0;
	size_t i;

	read_header(table, names, ARRAY_SIZE(names));
	while (next_row(table)) {
		p = table->in.data + table->row;
		for (i = 0; i < table->fields; i++) {
			p = skip_blanks(p);
			if (table->columns[i] == 0)
				p = take_number(p, &inode);
			else
				p = take_word(p, &word);
			if (table->columns[i] == 1)
				value = option_value(word, "TCP_CONGESTION");
			if (!field_ends(p))
				bad_line(table, "row");
		}
		if (!row_ends(table, p))
			bad_line(table, "row");
		if (!inode)
			continue;
		if (congestion_count == room) {
			room = 2 * room + 1024;
			congestions = more(congestions, room, sizeof(*one));
		}
		one = &congestions[congestion_count++];
		one->inode = inode;
		one->name = value.len ? copy_of(value.at, value.len) : usual;
	}
	close(table->fd);
}

/*
 * Printing
 */

static inline void put_end(const struct end *end)
{
	if (word_is(end->addr, "0.0.0.0") || word_is(end->addr, "::")) {
		put("*", 1);
		put_field(end->whole.at + end->addr.len,
			  end->whole.len - end->addr.len);
	} else {
		put_field(end->whole.at, end->whole.len);
	}
}

static void put_holder(enum column column, const struct row *row)
{
	const char *name;

	if (!row->pid) {
		put("?", 1);
	} else if (column == C_PID) {
		put_number(row->pid);
	} else if (column == C_FD) {
		put_field(row->fd.at, row->fd.len);
	} else if (column == C_COMMAND) {
		put_text(unescape(row->comm),
			 opt.wide ? SIZE_MAX : columns[C_COMMAND].width);
	} else if (opt.numeric) {
		put_number(row->uid);
	} else {
		name = user_of(row->uid)->name;
		put_text(word_of(name), SIZE_MAX);
	}
}

static void put_netns(void)
{
	if (opt.netns)
		put_text(word_of(opt.netns), SIZE_MAX);
	else if (netns_inode)
		put_number(netns_inode);
	else
		put("?", 1);
}

static void put_arguments(const struct row *row)
{
	char blanks[ARGS_MAX];
	struct word args;
	size_t i;

	args = row->pid ? arguments(row->pid) : (struct word){ };
	for (i = 0; i < args.len; i++)
		blanks[i] = args.at[i] ? args.at[i] : ' ';
	if (args.len)
		put_text((struct word){ blanks, args.len }, SIZE_MAX);
	else
		put(row->pid ? "-" : "?", 1);
}

static void put_cell(enum column column, const struct row *row)
{
	const char *name;

	switch (column) {
	case C_NETNS:
		put_netns();
		break;
	case C_PROTO:
		put(proto_names[row->proto], 4);
		break;
	case C_LOCAL:
		put_end(&row->local);
		break;
	case C_FOREIGN:
		put_end(&row->foreign);
		break;
	case C_INODE:
		put_number(row->inode);
		break;
	case C_STATE:
		put_str(row->state->name);
		break;
	case C_CC:
		name = congestion_of(row);
		put_str(name ? name : "-");
		break;
	case C_ARGUMENTS:
		put_arguments(row);
		break;
	default:
		put_holder(column, row);
	}
}

/* What is shown, and where it begins in the line. */
static struct {
	enum column column;
	size_t place;
} layout[COLUMNS];
static size_t layout_count;
/* The first of them that differs from one descriptor of a process to the next. */
static size_t layout_fd;

static void make_layout(void)
{
	size_t c, place = 0;

	for (c = 0; c < COLUMNS; c++) {
		if (!(opt.shown & BIT(c)))
			continue;
		if (c == C_FD)
			layout_fd = layout_count;
		layout[layout_count].column = c;
		layout[layout_count++].place = place;
		place += 1 + (opt.wide ? columns[c].wide : columns[c].width);
	}
}

static void print_header(void)
{
	size_t i;

	for (i = 0; i < layout_count; i++) {
		if (i)
			put_blanks(layout[i].place);
		put_str(columns[layout[i].column].title);
	}
	put("\n", 1);
}

/*
 * What is too long for its column pushes the next ones, as far as they have no
 * blanks to spare.
 */
static void put_cells(size_t from, size_t to, const struct row *row)
{
	size_t i;

	for (i = from; i < to; i++) {
		if (i)
			put_blanks(layout[i].place);
		put_cell(layout[i].column, row);
	}
}

/*
 * The rows of a process follow each other, and their lines begin alike: that is
 * made once, and remembered.
 */
static void print_row(const struct row *row)
{
	static struct {
		unsigned long process;
		struct text begin;
		size_t extra;
	} last;

	if (row->process == last.process) {
		put(last.begin.data, last.begin.len);
		row_extra = last.extra;
	} else {
		row_extra = 0;
		put_cells(0, layout_fd, row);
		text_set(&last.begin, out.data + row_start, out.len - row_start);
		last.extra = row_extra;
		last.process = row->process;
	}
	put_cells(layout_fd, layout_count, row);
	put("\n", 1);
}

static void json_key(const char *key)
{
	put(out.len == row_start ? "{\"" : ",\"", 2);
	put_str(key);
	put("\":", 2);
}

static void json_number(const char *key, u64 number)
{
	json_key(key);
	put_number(number);
}

/* Nothing is null. */
static void json_text(const char *key, struct word text)
{
	json_key(key);
	if (text.len)
		text_add_json(&out, text.at, text.len);
	else
		put_str("null");
}

static void json_str(const char *key, const char *str)
{
	json_text(key, str ? word_of(str) : (struct word){ });
}

static void json_holder(const struct row *row)
{
	if (!row->pid) {
		put_str(",\"pid\":null,\"comm\":null,\"fd\":null");
		return;
	}
	json_number("pid", row->pid);
	json_text("comm", word_is(row->comm, "-") ? (struct word){ } :
						    unescape(row->comm));
	json_key("fd");
	put_field(row->fd.at, row->fd.len);
}

static void json_arguments(const struct row *row)
{
	struct word rest, one;
	const char *end;

	rest = row->pid ? arguments(row->pid) : (struct word){ };
	json_key("args");
	if (!rest.len) {
		put_str("null");
		return;
	}
	put("[", 1);
	for (;;) {
		end = memchr(rest.at, '\0', rest.len);
		one.at = rest.at;
		one.len = end ? (size_t)(end - rest.at) : rest.len;
		text_add_json(&out, one.at, one.len);
		if (!end)
			break;
		put(",", 1);
		rest.at += one.len + 1;
		rest.len -= one.len + 1;
	}
	put("]", 1);
}

/* Nobody knows whose a connection in TIME_WAIT was: its UID is 0 in any case. */
static bool has_owner(const struct row *row)
{
	return strcmp(row->state->stat, "TIMW");
}

static void print_json(const struct row *row)
{
	const struct user *user = NULL;

	if (!opt.numeric && has_owner(row))
		user = user_of(row->uid);
	if (opt.shown & BIT(C_NETNS)) {
		json_key("netns");
		if (netns_inode)
			put_number(netns_inode);
		else
			put_str("null");
	}
	json_number("uid", row->uid);
	json_str("user", user && user->known ? user->name : NULL);
	json_holder(row);
	json_str("proto", proto_names[row->proto]);
	json_str("stat", *row->state->stat == '-' ? NULL : row->state->stat);
	json_text("laddr", row->local.addr);
	json_number("lport", row->local.port);
	json_text("raddr", row->foreign.addr);
	json_number("rport", row->foreign.port);
	json_number("inode", row->inode);
	if (opt.shown & BIT(C_CC))
		json_str("congestion", congestion_of(row));
	if (opt.shown & BIT(C_ARGUMENTS))
		json_arguments(row);
	put("}\n", 2);
}

/*
 * Which rows
 */

static bool starts(struct word word, const char *str)
{
	size_t len = strlen(str);

	return word.len >= len && !memcmp(word.at, str, len);
}

static bool is_loopback(const struct end *end)
{
	return starts(end->addr, "127.") || word_is(end->addr, "::1") ||
	       starts(end->addr, "::ffff:127.");
}

static bool is_command(struct word comm)
{
	if (word_is(comm, "-"))
		return false;
	comm = unescape(comm);
	/* The kernel has cut it, too. */
	return comm.len == strnlen(opt.command, COMM_MAX) &&
	       !memcmp(comm.at, opt.command, comm.len);
}

static bool is_pid(u64 pid)
{
	size_t i;

	for (i = 0; i < opt.pid_count; i++)
		if (opt.pids[i] == pid)
			return true;
	return false;
}

static bool wanted(const struct row *row)
{
	if (!(opt.protos & BIT(row->proto)))
		return false;
	if ((opt.connected || opt.listening) &&
	    !(opt.connected && row->state->connected) &&
	    !(opt.listening && row->state->listening && row->local.port))
		return false;
	if (opt.ports && !opt.ports[row->local.port] &&
	    !opt.ports[row->foreign.port])
		return false;
	if (opt.no_loopback &&
	    (is_loopback(&row->local) || is_loopback(&row->foreign)))
		return false;
	if (opt.by_user && (row->uid != opt.uid || !has_owner(row)))
		return false;
	if (opt.pids && !is_pid(row->pid))
		return false;
	return !opt.command || (row->pid && is_command(row->comm));
}

static void print_table(void)
{
	struct row row = { };

	make_layout();
	if (!opt.no_header && !opt.json)
		print_header();
	row_start = out.len;
	while (next_row(&owner)) {
		if (!parse_row(&owner, &row))
			bad_line(&owner, "row");
		if (wanted(&row)) {
			if (opt.json)
				print_json(&row);
			else
				print_row(&row);
		}
		row_start = out.len;
		if (out.len >= WRITE_SIZE)
			flush_rows();
	}
	flush_rows();
}

/*
 * Network namespaces
 */

/* What cannot be entered may be a mistake of the user's, or not be allowed. */
static noreturn void bad_netns(void)
{
	int status = errno == EPERM || errno == EACCES ? 1 : 2;

	if (opt.netns)
		say("cannot enter the network namespace '%s': %s", opt.netns,
		    strerror(errno));
	else
		say("cannot enter the network namespace of process %llu: %s",
		    opt.netns_pid, strerror(errno));
	exit(status);
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		bad_netns();
	close(fd);
}

/* Where the namespace is, which need not be ours. */
static char *netns_path(void)
{
	if (opt.netns)
		return formatted(NETNS_DIR "/%s", opt.netns);
	if (opt.netns_pid)
		return formatted(PROC "/%llu/ns/net", opt.netns_pid);
	return formatted(OWN_NETNS);
}

/* The /proc/net of the namespace, once it has been entered if that is needed. */
static char *netns_proc(void)
{
	char *path, *tcp;

	if (!opt.netns_pid)
		return formatted(PROC "/net");
	path = formatted(PROC "/%llu/net", opt.netns_pid);
	tcp = formatted("%s/tcp", path);
	/* Any other of its files will tell whether only ours is missing. */
	if (access(tcp, F_OK)) {
		say("no process %llu", opt.netns_pid);
		exit(2);
	}
	free(tcp);
	return path;
}

/* The congestion control of sockets that name none. */
static const char *usual_congestion(void)
{
	static const char path[] =
		PROC "/sys/net/ipv4/tcp_congestion_control";
	static char name[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	char *p;

	if (n < 0) {
		say("cannot read %s: %s", path + strlen(SOCKSTAT_ROOT),
		    strerror(errno));
		exit(1);
	}
	close(fd);
	name[n] = '\0';
	name[strcspn(name, "\n ")] = '\0';
	for (p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return name;
}

/*
 * Opens what is to be read in the namespace where it is, and comes back: users
 * are to be looked up from here.
 */
static void open_tables(void)
{
	static struct table tcp, tcp6;
	bool cc = opt.shown & BIT(C_CC) && opt.protos & TCP_BITS;
	bool tcp6_too = false;
	bool enter = opt.netns || (opt.netns_pid && cc);
	char *path = netns_path(), *dir = netns_proc();
	const char *usual = NULL;
	struct stat stats;
	int home = -1;

	if (!stat(path, &stats))
		netns_inode = stats.st_ino;
	if (enter) {
		home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
		if (home < 0)
			bad_netns();
		enter_netns(path);
	}
	must_open(&owner, dir, "sockowner");
	if (cc)
		usual = usual_congestion();
	if (cc && opt.protos & BIT(TCP4))
		must_open(&tcp, dir, "tcpstat");
	/* With ipv6.disable=1 it isn't there. */
	if (cc && opt.protos & BIT(TCP6))
		tcp6_too = open_table(&tcp6, dir, "tcp6stat");
	if (enter && setns(home, CLONE_NEWNET)) {
		say("cannot return to this network namespace: %s",
		    strerror(errno));
		exit(1);
	}
	if (tcp.path)
		read_congestions(&tcp, usual);
	if (tcp6_too)
		read_congestions(&tcp6, usual);
	if (congestion_count)
		qsort(congestions, congestion_count, sizeof(*congestions),
		      by_inode);
	read_header(&owner, owner_columns, OWNER_COLUMNS);
	free(path);
	free(dir);
}

/*
 * Options
 */

static const char usage[] =
"usage: sockstat [-46acChHiJlLnqswZ] [-j NETNS] [-p PORTS] [-P PROTOCOLS]\n"
"                [-U USER] [--pid PIDS] [--command NAME]\n"
"\n"
"Prints who holds which TCP and UDP sockets, from /proc/net/sockowner (module\n"
"knetstat).\n"
"\n"
"  -4, --ipv4                 only IPv4\n"
"  -6, --ipv6                 only IPv6\n"
"  -c, --connected            only connected sockets\n"
"  -l, --listening            only listening sockets; of UDP, unconnected ones\n"
"  -L, --no-loopback          not those with a loopback address\n"
"  -p, --ports PORTS          only these ports, on either side: 22,80,8000-8999\n"
"  -P, --protocols PROTOCOLS  only these of tcp, udp, tcp4, tcp6, udp4, udp6\n"
"  -U, --user USER            only sockets of this user, a name or a number\n"
"      --pid PIDS             only sockets that these processes hold\n"
"      --command NAME         only sockets that processes of this name hold\n"
"  -j, -z, --netns NETNS      of another network namespace: a name, or a PID\n"
"  -Z, --show-netns           the network namespace in a first column\n"
"  -i, --inode                a column: the inode number\n"
"  -s, --state                a column: the state\n"
"  -C, --congestion           a column: the congestion control\n"
"  -a, --args                 a column: the arguments of the process\n"
"  -n, --numeric              users as numbers\n"
"  -w, --wide                 wide columns, for IPv6 addresses and long names\n"
"  -H, -q, --no-header        no header\n"
"  -J, --json                 a JSON object for each row\n"
"  -h, --help                 print this\n"
"      --version              print the version\n"
"\n"
"  sockstat -4l               who listens on IPv4\n"
"  sockstat -p 443 -cs        connections to and from port 443, with their states\n"
"  sockstat -U www-data -a    what a user's programs hold\n"
"  sockstat -z web -lZ        who listens in the namespace web\n";

static noreturn void print_and_exit(const char *text)
{
	put_str(text);
	flush_rows();
	exit(0);
}

/* Cuts the next one off a list that is separated by commas. */
static bool next_in_list(const char **list, struct word *word)
{
	if (!*list)
		return false;
	*word = (struct word){ *list, strcspn(*list, ",") };
	*list = (*list)[word->len] ? *list + word->len + 1 : NULL;
	return true;
}

static bool parse_range(struct word word, u64 *first, u64 *last)
{
	const char *dash = memchr(word.at, '-', word.len);
	struct word low = word, high = word;

	if (dash) {
		low.len = dash - word.at;
		high.at = dash + 1;
		high.len = word.len - low.len - 1;
	}
	return parse_number(low, PORTS - 1, first) && *first &&
	       parse_number(high, PORTS - 1, last) && *first <= *last;
}

static bool *parse_ports(const char *arg)
{
	bool *ports = more(NULL, PORTS, sizeof(*ports));
	const char *list = arg;
	struct word word;
	u64 first, last;

	memset(ports, 0, PORTS * sizeof(*ports));
	while (next_in_list(&list, &word)) {
		if (!parse_range(word, &first, &last))
			usage_error("bad list of ports (each is 1 to 65535, or a range)",
				    arg);
		memset(ports + first, true, last - first + 1);
	}
	return ports;
}

static unsigned int parse_protos(const char *arg)
{
	const char *list = arg;
	unsigned int protos = 0;
	struct word word;
	enum proto proto;

	while (next_in_list(&list, &word)) {
		if (word_is(word, "tcp"))
			protos |= TCP_BITS;
		else if (word_is(word, "udp"))
			protos |= UDP_BITS;
		else if (word.len == 4 && take_proto(word.at, &proto))
			protos |= BIT(proto);
		else
			usage_error("bad list of protocols (tcp, udp, tcp4, tcp6, udp4, udp6)",
				    arg);
	}
	return protos;
}

static void parse_pids(const char *arg)
{
	const char *list = arg;
	struct word word;
	u64 pid;

	opt.pid_count = 0;
	while (next_in_list(&list, &word)) {
		if (!parse_number(word, INT_MAX, &pid) || !pid)
			usage_error("bad list of PIDs", arg);
		opt.pids = more(opt.pids, opt.pid_count + 1, sizeof(pid));
		opt.pids[opt.pid_count++] = pid;
	}
}

/* Who is called by a number is found by it, as chown(1) does. */
static u64 parse_user(const char *arg)
{
	struct passwd *entry = *arg ? getpwnam(arg) : NULL;
	u64 uid;

	if (entry)
		return entry->pw_uid;
	if (!parse_number(word_of(arg), UINT_MAX - 1, &uid))
		usage_error("unknown user", arg);
	return uid;
}

static void parse_netns(const char *arg)
{
	opt.netns = NULL;
	opt.netns_pid = 0;
	if (parse_number(word_of(arg), INT_MAX, &opt.netns_pid) &&
	    opt.netns_pid)
		return;
	if (!*arg || strchr(arg, '/') || !strcmp(arg, ".") ||
	    !strcmp(arg, "..") || !arg[strspn(arg, "0123456789")])
		usage_error("bad network namespace (a name or a PID)", arg);
	opt.netns_pid = 0;
	opt.netns = arg;
}

enum {
	OPT_VERSION = 256,
	OPT_PID,
	OPT_COMMAND,
};

static const struct option long_options[] = {
	{ "ipv4",	no_argument,		NULL, '4' },
	{ "ipv6",	no_argument,		NULL, '6' },
	{ "args",	no_argument,		NULL, 'a' },
	{ "connected",	no_argument,		NULL, 'c' },
	{ "congestion",	no_argument,		NULL, 'C' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "no-header",	no_argument,		NULL, 'H' },
	{ "inode",	no_argument,		NULL, 'i' },
	{ "netns",	required_argument,	NULL, 'j' },
	{ "json",	no_argument,		NULL, 'J' },
	{ "listening",	no_argument,		NULL, 'l' },
	{ "no-loopback", no_argument,		NULL, 'L' },
	{ "numeric",	no_argument,		NULL, 'n' },
	{ "ports",	required_argument,	NULL, 'p' },
	{ "protocols",	required_argument,	NULL, 'P' },
	{ "state",	no_argument,		NULL, 's' },
	{ "user",	required_argument,	NULL, 'U' },
	{ "wide",	no_argument,		NULL, 'w' },
	{ "show-netns",	no_argument,		NULL, 'Z' },
	{ "pid",	required_argument,	NULL, OPT_PID },
	{ "command",	required_argument,	NULL, OPT_COMMAND },
	{ "version",	no_argument,		NULL, OPT_VERSION },
	{ }
};

/* An option that says how to print. */
static void display_option(int c)
{
	switch (c) {
	case 'a':
		opt.shown |= BIT(C_ARGUMENTS);
		break;
	case 'C':
		opt.shown |= BIT(C_CC);
		break;
	case 'H':
	case 'q':
		opt.no_header = true;
		break;
	case 'i':
		opt.shown |= BIT(C_INODE);
		break;
	case 'J':
		opt.json = true;
		break;
	case 'n':
		opt.numeric = true;
		break;
	case 's':
		opt.shown |= BIT(C_STATE);
		break;
	case 'w':
		opt.wide = true;
		break;
	case 'Z':
		opt.shown |= BIT(C_NETNS);
		break;
	case 'h':
		print_and_exit(usage);
	case OPT_VERSION:
		print_and_exit("sockstat (knetstat) " KNETSTAT_VERSION "\n");
	default:
		/* getopt has said what is wrong. */
		exit(2);
	}
}

static void parse_options(int argc, char **argv)
{
	int c;

	/* In whose name getopt complains, in one line. */
	argv[0] = (char *)"sockstat";
	while ((c = getopt_long(argc, argv, "46acChHij:JlLnp:P:qsU:wz:Z",
				long_options, NULL)) != -1) {
		switch (c) {
		case '4':
			opt.family |= IPV4_BITS;
			break;
		case '6':
			opt.family |= IPV6_BITS;
			break;
		case 'c':
			opt.connected = true;
			break;
		case 'j':
		case 'z':
			parse_netns(optarg);
			break;
		case 'l':
			opt.listening = true;
			break;
		case 'L':
			opt.no_loopback = true;
			break;
		case 'p':
			free(opt.ports);
			opt.ports = parse_ports(optarg);
			break;
		case 'P':
			opt.protos = parse_protos(optarg);
			break;
		case 'U':
			opt.uid = parse_user(optarg);
			opt.by_user = true;
			break;
		case OPT_PID:
			parse_pids(optarg);
			break;
		case OPT_COMMAND:
			opt.command = optarg;
			break;
		default:
			display_option(c);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	if (opt.family)
		opt.protos &= opt.family;
	/* Both are all, also those that are neither. */
	if (opt.connected && opt.listening) {
		opt.connected = false;
		opt.listening = false;
	}
}

/* What is opened must not become one of the three that others write to. */
static void check_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd == STDOUT_FILENO) {
			say("cannot write: stdout is closed");
			exit(1);
		}
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	check_descriptors();
	parse_options(argc, argv);
	open_tables();
	print_table();
	return 0;
}
