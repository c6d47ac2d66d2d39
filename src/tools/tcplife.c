// SPDX-License-Identifier: GPL-2.0
/*
 * tcplife: prints TCP sessions as they end, in the formats of BCC's tcplife.
 *
 * All it knows is in /proc/net/tcplife, where it finds columns by their names,
 * and rows that it came too late for by gaps in SEQ. From stat/tcplife it takes
 * the number of the last row there was when it began.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "tcplife"
#include "text.h"

/* Where the tests keep a table of their own. */
#ifndef TCPLIFE_PROC
#define TCPLIFE_PROC "/proc/net"
#endif
#ifndef KNETSTAT_VERSION
#define KNETSTAT_VERSION "unknown"
#endif

#define LIFE_FILE	TCPLIFE_PROC "/tcplife"
#define STAT_FILE	TCPLIFE_PROC "/stat/tcplife"

#define PORTS		65536
#define READ_SIZE	65536

static struct {
	bool time;
	bool timestamp;
	bool wide;
	bool csv;
	bool all;
	bool extended;
	bool json;
	char family;		/* '4', '6', or 0: both */
	u64 pid;		/* 0: all */
	u64 count;		/* 0: without end */
	bool *local;		/* by port; NULL: all */
	bool *remote;
} opt;

/* The columns that the program itself looks at. */
enum column {
	SEQ, TIME, PID, COMM, LADDR, LPORT, RADDR, RPORT, TX_B, RX_B, MS,
	COLUMNS
};

static const char * const column_names[COLUMNS] = {
	"SEQ", "TIME", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT",
	"TX_B", "RX_B", "MS",
};

/* Those that JSON shows as a string, whatever it looks like. */
static const char * const string_columns[] = {
	"COMM", "BY", "ROLE", "LADDR", "RADDR", "END",
};

/**
 * struct table - the table as its header describes it
 * @header: the line
 * @names: its words
 * @keys: the same as JSON has them
 * @fields: how many
 * @at: where the columns that matter are
 */
static struct table {
	char *header;
	char **names;
	char **keys;
	size_t fields;
	size_t at[COLUMNS];
} table;

/**
 * struct row - what the program itself looks at in a row
 * @line: the row
 * @fields: its fields, each a string
 * @value: of the columns that are numbers; of those with decimals, millionths
 *	(TIME) or thousandths (MS)
 * @addr: the addresses: local, remote
 * @family: '4' or '6'
 * @old: it is older than the module, and there is no MS
 */
struct row {
	const char *line;
	char **fields;
	u64 value[COLUMNS];
	char addr[2][INET6_ADDRSTRLEN];
	char family;
	bool old;
};

static int life_fd;
static struct text out;		/* rows to be written */
static size_t row_start;	/* where in there the last one begins */
static u64 expected;		/* the SEQ that comes next; 0: not known */
static u64 missed;
static u64 printed;

static int stop_pipe[2];
static bool die_of_sigpipe;

static void say_missed(void)
{
	if (missed)
		say("missed %llu row%s in all", missed, missed == 1 ? "" : "s");
}

static noreturn void finish(int status)
{
	say_missed();
	exit(status);
}

/* Nobody reads what we write: leave as if SIGPIPE had never been ignored. */
static noreturn void finish_pipe(void)
{
	say_missed();
	if (die_of_sigpipe) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	exit(1);
}

static void text_add_str(struct text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

static __printf(2, 3) void text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	text_reserve(text, 256);
	va_start(args, format);
	n = vsnprintf(text->data + text->len, text->size - text->len, format,
		      args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= text->size - text->len) {
		text_reserve(text, n + 1);
		va_start(args, format);
		vsnprintf(text->data + text->len, n + 1, format, args);
		va_end(args);
	}
	text->len += n;
}

/*
 * Waits until there is something to read from a descriptor or room to write to
 * it, the reader of our output has gone, or the program is to end. That is told
 * by the pipe: a signal that comes right before poll() must not be slept on.
 */
static short wait_for(int fd, short events)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = events },
		{ .fd = stop_pipe[0], .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};

	while (poll(fds, 3, -1) < 0) {
		if (errno != EINTR && errno != EAGAIN) {
			say("poll: %s", strerror(errno));
			finish(1);
		}
	}
	if (fds[2].revents & POLLERR)
		finish_pipe();
	/* What has been read is written first, if it can be. */
	if (fds[1].revents && !(events & POLLOUT && fds[0].revents))
		finish(0);
	return fds[0].revents;
}

static void flush_rows(void)
{
	size_t done = 0;
	ssize_t n;

	while (done < out.len) {
		wait_for(STDOUT_FILENO, POLLOUT);
		n = write(STDOUT_FILENO, out.data + done, out.len - done);
		if (n >= 0) {
			done += n;
			continue;
		}
		if (errno == EPIPE)
			finish_pipe();
		if (errno != EINTR && errno != EAGAIN) {
			say("cannot write: %s", strerror(errno));
			finish(1);
		}
	}
	out.len = 0;
}

static noreturn void bad_line(const char *what, const char *line)
{
	char shown[64];
	size_t i;

	for (i = 0; line[i] && i < sizeof(shown) - 1; i++)
		shown[i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	shown[i] = '\0';
	/* All rows before it, and nothing of this one. */
	out.len = row_start;
	flush_rows();
	say("%s: malformed %s: %s%s", LIFE_FILE, what, shown,
	    line[i] ? "..." : "");
	finish(1);
}

/* A number with at most some decimals, in units of the last of them. */
static bool parse_number(const char *str, int decimals, u64 *number)
{
	bool point = false;
	u64 n = 0;

	if (!isdigit((unsigned char)*str))
		return false;
	for (; *str; str++) {
		if (*str == '.' && !point && decimals && str[1]) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*str) || (point && !decimals--))
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *str - '0', &n))
			return false;
	}
	while (decimals-- > 0)
		if (__builtin_mul_overflow(n, 10, &n))
			return false;
	*number = n;
	return true;
}

/* Cuts a line into its words, for which there is room; returns their number. */
static size_t split(char *line, char **words, size_t max)
{
	size_t n = 0;
	char *word;

	for (word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		if (n < max)
			words[n] = word;
		n++;
	}
	return n;
}

/* The bytes that a field stands for: the kernel writes some as \ooo. */
static const char *unescape(const char *field, size_t *len, const char *line)
{
	static struct text bytes;
	unsigned int byte;
	int i;

	bytes.len = 0;
	text_reserve(&bytes, strlen(field));
	while (*field) {
		byte = (unsigned char)*field++;
		if (byte == '\\') {
			for (byte = 0, i = 0; i < 3; i++, field++) {
				if (*field < '0' || *field > '7')
					bad_line("row", line);
				byte = byte << 3 | (*field - '0');
			}
			if (byte > 0xff)
				bad_line("row", line);
		}
		bytes.data[bytes.len++] = byte;
	}
	*len = bytes.len;
	return bytes.data;
}

/*
 * Printing
 */

static void print_comm(const char *bytes, size_t len, size_t width, size_t max)
{
	size_t used, chars = 0;

	for (; len && chars < max; bytes += used, len -= used, chars++) {
		if (printable(next_char(bytes, len, &used)))
			text_add(&out, bytes, used);
		else
			text_add_str(&out, "?");
	}
	for (; chars < width; chars++)
		text_add_str(&out, " ");
}

static void print_times(const struct row *row)
{
	static bool begun;
	static u64 begin;
	time_t seconds = row->value[TIME] / 1000000;
	struct tm tm;

	if (opt.time) {
		if (!localtime_r(&seconds, &tm))
			bad_line("row", row->line);
		text_addf(&out, opt.csv ? "%02d:%02d:%02d," : "%02d:%02d:%02d ",
			  tm.tm_hour, tm.tm_min, tm.tm_sec);
	}
	if (opt.timestamp) {
		if (!begun)
			begin = row->value[TIME];
		begun = true;
		text_addf(&out, opt.csv ? "%.6f," : "%-9.6f ",
			  ((double)row->value[TIME] - begin) / 1000000);
	}
}

/* BCC's columns, but for the times before them. */
static void print_row(const struct row *row)
{
	size_t len;
	const char *comm = unescape(row->fields[table.at[COMM]], &len,
				    row->line);
	u64 tx = row->value[TX_B] / 1024, rx = row->value[RX_B] / 1024;
	double ms = row->old ? NAN : (double)row->value[MS] / 1000;

	if (opt.csv) {
		text_addf(&out, "%llu,", row->value[PID]);
		print_comm(comm, len, 0, len);
		text_addf(&out, ",%c,%s,%llu,%s,%llu,%llu,%llu,%.2f\n",
			  row->family, row->addr[0], row->value[LPORT],
			  row->addr[1], row->value[RPORT], tx, rx, ms);
		return;
	}
	text_addf(&out, "%-5llu ", row->value[PID]);
	if (opt.wide) {
		print_comm(comm, len, 16, 16);
		text_addf(&out, " %c  %-39s %-5llu %-39s %-5llu %6llu %6llu %.2f\n",
			  row->family, row->addr[0], row->value[LPORT],
			  row->addr[1], row->value[RPORT], tx, rx, ms);
	} else {
		print_comm(comm, len, 10, 10);
		text_addf(&out, " %-15s %-5llu %-15s %-5llu %5llu %5llu %.2f\n",
			  row->addr[0], row->value[LPORT], row->addr[1],
			  row->value[RPORT], tx, rx, ms);
	}
}

/* All columns, as the file has them. */
static void print_extended(const struct row *row)
{
	const char *p;
	size_t i;

	if (!opt.csv) {
		text_addf(&out, "%s\n", row->line);
		return;
	}
	for (i = 0; i < table.fields; i++) {
		if (i)
			text_add_str(&out, ",");
		for (p = row->fields[i]; *p; p++) {
			if (*p == ',')
				text_add_str(&out, "\\054");
			else
				text_add(&out, p, 1);
		}
	}
	text_add_str(&out, "\n");
}

static bool is_json_number(const char *str)
{
	size_t digits = strspn(str, "0123456789");

	if (!digits || (digits > 1 && *str == '0'))
		return false;
	str += digits;
	if (*str != '.')
		return !*str;
	str++;
	return *str && !str[strspn(str, "0123456789")];
}

static bool is_string_column(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(string_columns) / sizeof(*string_columns); i++)
		if (!strcmp(name, string_columns[i]))
			return true;
	return false;
}

static void print_json(const struct row *row)
{
	size_t i;

	for (i = 0; i < table.fields; i++) {
		const char *field = row->fields[i], *bytes;
		size_t len;

		text_addf(&out, "%c\"%s\":", i ? ',' : '{', table.keys[i]);
		if (!strcmp(field, "-")) {
			text_add_str(&out, "null");
		} else if (!is_string_column(table.names[i]) &&
			   is_json_number(field)) {
			text_add_str(&out, field);
		} else {
			bytes = unescape(field, &len, row->line);
			text_add_json(&out, bytes, len);
		}
	}
	text_add_str(&out, "}\n");
}

static void print_header(void)
{
	size_t i;

	if (opt.json)
		return;
	if (opt.time)
		text_add_str(&out, opt.csv ? "TIME," : "TIME     ");
	if (opt.timestamp)
		text_add_str(&out, opt.csv ? "TIME(s)," : "TIME(s)   ");
	if (opt.extended && opt.csv) {
		for (i = 0; i < table.fields; i++)
			text_addf(&out, "%s%s", i ? "," : "", table.names[i]);
		text_add_str(&out, "\n");
	} else if (opt.extended) {
		text_addf(&out, "%s\n", table.header);
	} else if (opt.csv) {
		text_add_str(&out, "PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS\n");
	} else if (opt.wide) {
		text_addf(&out, "%-5s %-16s %-2s %-39s %-5s %-39s %-5s %6s %6s %s\n",
			  "PID", "COMM", "IP", "LADDR", "LPORT", "RADDR",
			  "RPORT", "TX_KB", "RX_KB", "MS");
	} else {
		text_addf(&out, "%-5s %-10s %-15s %-5s %-15s %-5s %5s %5s %s\n",
			  "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT",
			  "TX_KB", "RX_KB", "MS");
	}
}

/*
 * Reading
 */

/* An address as inet_ntop() writes it, as BCC does; the kernel's differs. */
static bool parse_address(const char *field, char family, char *addr)
{
	int af = family == '6' ? AF_INET6 : AF_INET;
	struct in6_addr bytes;

	return inet_pton(af, field, &bytes) == 1 &&
	       inet_ntop(af, &bytes, addr, INET6_ADDRSTRLEN);
}

static bool parse_row(struct row *row)
{
	static const enum column whole[] = { SEQ, LPORT, RPORT, TX_B, RX_B };
	char **fields = row->fields;
	u64 *value = row->value;
	size_t i;

	for (i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		if (!parse_number(fields[table.at[whole[i]]], 0,
				  &value[whole[i]]))
			return false;
	if (!value[SEQ] || value[LPORT] >= PORTS || value[RPORT] >= PORTS)
		return false;
	if (!parse_number(fields[table.at[TIME]], 6, &value[TIME]))
		return false;
	if (!parse_number(fields[table.at[PID]], 0, &value[PID])) {
		if (strcmp(fields[table.at[PID]], "-"))
			return false;
		value[PID] = 0;
	}
	row->old = !parse_number(fields[table.at[MS]], 3, &value[MS]);
	if (row->old && strcmp(fields[table.at[MS]], "-"))
		return false;
	row->family = strchr(fields[table.at[LADDR]], ':') ? '6' : '4';
	return parse_address(fields[table.at[LADDR]], row->family,
			     row->addr[0]) &&
	       parse_address(fields[table.at[RADDR]], row->family,
			     row->addr[1]);
}

static bool wanted(const struct row *row)
{
	return (!opt.family || row->family == opt.family) &&
	       (!opt.pid || row->value[PID] == opt.pid) &&
	       (!opt.local || opt.local[row->value[LPORT]]) &&
	       (!opt.remote || opt.remote[row->value[RPORT]]);
}

/* A gap in SEQ: rows were overwritten before we came to them. */
static void count_missed(u64 seq)
{
	if (expected && seq > expected) {
		flush_rows();
		row_start = 0;
		missed += seq - expected;
		if (seq - expected == 1)
			say("missed 1 row: SEQ %llu", expected);
		else
			say("missed %llu rows: SEQ %llu to %llu",
			    seq - expected, expected, seq - 1);
	}
	if (seq >= expected)
		expected = seq + 1;
}

/* Nothing but what the files promise may come through to a terminal. */
static bool is_plain(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return false;
	return true;
}

static void take_row(const char *line, size_t len)
{
	static struct text copy;
	static char **fields;
	struct row row = { .line = line };

	row_start = out.len;
	copy.len = 0;
	text_add(&copy, line, len + 1);
	if (!fields)
		fields = more(NULL, table.fields, sizeof(*fields));
	row.fields = fields;
	if (!is_plain(line, len) ||
	    split(copy.data, fields, table.fields) != table.fields ||
	    !parse_row(&row))
		bad_line("row", line);

	count_missed(row.value[SEQ]);
	if (!wanted(&row))
		return;
	if (opt.json) {
		print_json(&row);
	} else {
		print_times(&row);
		if (opt.extended)
			print_extended(&row);
		else
			print_row(&row);
	}
	if (++printed == opt.count) {
		flush_rows();
		finish(0);
	}
}

static void take_header(const char *line, size_t len)
{
	/* No more words than every other byte. */
	size_t max = len / 2 + 1;
	size_t i, c;
	char *p;

	table.header = copy_of(line, strlen(line));
	table.names = more(NULL, max, sizeof(*table.names));
	table.keys = more(NULL, max, sizeof(*table.keys));
	table.fields = split(copy_of(line, strlen(line)), table.names, max);
	for (i = 0; i < table.fields; i++) {
		table.keys[i] = copy_of(table.names[i], strlen(table.names[i]));
		for (p = table.keys[i]; *p; p++)
			*p = tolower((unsigned char)*p);
	}
	for (c = 0; c < COLUMNS; c++) {
		for (i = 0; i < table.fields; i++)
			if (!strcmp(table.names[i], column_names[c]))
				break;
		if (i == table.fields || !is_plain(line, len) ||
		    strpbrk(line, "\"\\"))
			bad_line("header", line);
		table.at[c] = i;
	}
}

/* Adds what the next read gives, which may be nothing. */
static size_t read_more(struct text *in, size_t size)
{
	short events;
	ssize_t n;

	text_reserve(in, size);
	do {
		events = wait_for(life_fd, POLLIN);
		n = read(life_fd, in->data + in->len, size);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	/* procfs takes a file away from who has it open when its module goes. */
	if ((n < 0 && (errno == EIO || errno == ENODEV)) ||
	    (!n && events & (POLLERR | POLLHUP))) {
		say("%s has gone: the module knetstat was unloaded", LIFE_FILE);
		finish(1);
	}
	if (n < 0) {
		say("cannot read %s: %s", LIFE_FILE, strerror(errno));
		finish(1);
	}
	in->len += n;
	return n;
}

/* Ends the line at the beginning of what was read; its length, or 0. */
static size_t whole_line(char *data, size_t len)
{
	char *end = memchr(data, '\n', len);

	if (!end)
		return 0;
	*end = '\0';
	return end - data + 1;
}

/* The number of the last row there is; it may not be known. */
static bool last_seq(u64 *seq)
{
	char header[1024], line[1024], *names[32], *values[32];
	FILE *file = fopen(STAT_FILE, "re");
	size_t i, fields = 0;
	bool known = false;

	if (!file)
		return false;
	if (fgets(header, sizeof(header), file) &&
	    fgets(line, sizeof(line), file)) {
		header[strcspn(header, "\n")] = '\0';
		line[strcspn(line, "\n")] = '\0';
		fields = split(header, names, 32);
		if (fields > 32 || split(line, values, 32) != fields)
			fields = 0;
	}
	for (i = 0; i < fields; i++)
		if (!strcmp(names[i], "recorded"))
			known = parse_number(values[i], 0, seq);
	fclose(file);
	return known;
}

static void open_table(struct text *in)
{
	u64 seq;
	size_t n;

	life_fd = open(LIFE_FILE, O_RDONLY | O_CLOEXEC);
	if (life_fd < 0 && errno == ENOENT) {
		say("no %s: the module is not loaded (modprobe knetstat)",
		    LIFE_FILE);
		exit(1);
	}
	if (life_fd < 0) {
		say("cannot open %s: %s", LIFE_FILE, strerror(errno));
		exit(1);
	}
	/* Little at a time: rows may follow that are not wanted. */
	do {
		if (!read_more(in, 256)) {
			say("%s: no header", LIFE_FILE);
			exit(1);
		}
		n = whole_line(in->data, in->len);
	} while (!n);
	take_header(in->data, n - 1);
	in->len -= n;
	memmove(in->data, in->data + n, in->len);
	expected = 1;
	if (opt.all)
		return;

	in->len = 0;
	if (lseek(life_fd, 0, SEEK_HOLE) < 0) {
		say("cannot follow %s: %s", LIFE_FILE, strerror(errno));
		exit(1);
	}
	/* A row that came in between is shown, and does not count as missed. */
	expected = last_seq(&seq) ? seq + 1 : 0;
}

static noreturn void follow(void)
{
	struct text in = { };
	size_t n, done;

	open_table(&in);
	print_header();
	for (;;) {
		for (done = 0; done < in.len; done += n) {
			n = whole_line(in.data + done, in.len - done);
			if (!n)
				break;
			take_row(in.data + done, n - 1);
		}
		in.len -= done;
		memmove(in.data, in.data + done, in.len);
		row_start = out.len;
		flush_rows();
		read_more(&in, READ_SIZE);
	}
}

/*
 * Options
 */

static const char usage[] =
"usage: tcplife [-h] [-T] [-t] [-w] [-s] [-p PID] [-L PORTS] [-D PORTS] [-4 | -6]\n"
"               [-a] [-x] [-J] [-n N]\n"
"\n"
"Prints TCP sessions as they end, from /proc/net/tcplife (module knetstat).\n"
"\n"
"  -T, --time              the time of day it ended (HH:MM:SS) in a first column\n"
"  -t, --timestamp         the seconds since the first row in a first column\n"
"  -w, --wide              wide columns, for IPv6 addresses and long names\n"
"  -s, --csv               values separated by commas\n"
"  -p, --pid PID           only sessions of this process\n"
"  -L, --localport PORTS   only these local ports, separated by commas\n"
"  -D, --remoteport PORTS  only these remote ports, separated by commas\n"
"  -4, --ipv4              only IPv4\n"
"  -6, --ipv6              only IPv6\n"
"  -a, --all               begin with the sessions that have ended already\n"
"  -x, --extended          all columns of the file, as they are there\n"
"  -J, --json              all columns, a JSON object for each session\n"
"  -n, --count N           stop after N sessions\n"
"  -h, --help              print this\n"
"      --version           print the version\n"
"\n"
"  tcplife -T              sessions from now on, until Ctrl-C\n"
"  tcplife -a -L 80,443    what has been and will be served on two ports\n"
"  tcplife -stT            for a spreadsheet\n"
"  tcplife -aJ -n 100      for a program: the 100 oldest that are still known\n";

static noreturn void print_and_exit(const char *text)
{
	text_add_str(&out, text);
	flush_rows();
	exit(0);
}

static u64 positive(const char *arg, u64 max, const char *complaint)
{
	u64 number;

	if (!parse_number(arg, 0, &number) || !number || number > max)
		usage_error(complaint, arg);
	return number;
}

static bool *parse_ports(char *arg)
{
	static const char complaint[] =
		"bad list of ports (each is 1 to 65535)";
	bool *ports = more(NULL, PORTS, sizeof(*ports));
	char *copy = copy_of(arg, strlen(arg));
	char *list = copy, *word;
	u64 port;

	memset(ports, 0, PORTS * sizeof(*ports));
	while ((word = strsep(&list, ","))) {
		if (!parse_number(word, 0, &port) || !port || port >= PORTS)
			usage_error(complaint, arg);
		ports[port] = true;
	}
	free(copy);
	return ports;
}

static void set_family(char family)
{
	if (opt.family && opt.family != family)
		usage_error("-4 and -6 exclude each other", NULL);
	opt.family = family;
}

static void parse_options(int argc, char **argv)
{
	enum { VERSION = 256 };
	static const struct option longs[] = {
		{ "time",	no_argument,		NULL, 'T' },
		{ "timestamp",	no_argument,		NULL, 't' },
		{ "wide",	no_argument,		NULL, 'w' },
		{ "csv",	no_argument,		NULL, 's' },
		{ "pid",	required_argument,	NULL, 'p' },
		{ "localport",	required_argument,	NULL, 'L' },
		{ "remoteport",	required_argument,	NULL, 'D' },
		{ "ipv4",	no_argument,		NULL, '4' },
		{ "ipv6",	no_argument,		NULL, '6' },
		{ "all",	no_argument,		NULL, 'a' },
		{ "extended",	no_argument,		NULL, 'x' },
		{ "json",	no_argument,		NULL, 'J' },
		{ "count",	required_argument,	NULL, 'n' },
		{ "help",	no_argument,		NULL, 'h' },
		{ "version",	no_argument,		NULL, VERSION },
		{ }
	};
	int c;

	/* In whose name getopt complains, in one line. */
	argv[0] = (char *)"tcplife";
	while ((c = getopt_long(argc, argv, "TtwsaxJh46p:L:D:n:", longs,
				NULL)) != -1) {
		switch (c) {
		case 'T':
			opt.time = true;
			break;
		case 't':
			opt.timestamp = true;
			break;
		case 'w':
			opt.wide = true;
			break;
		case 's':
			opt.csv = true;
			break;
		case 'p':
			opt.pid = positive(optarg, 0x7fffffff, "bad PID");
			break;
		case 'L':
			free(opt.local);
			opt.local = parse_ports(optarg);
			break;
		case 'D':
			free(opt.remote);
			opt.remote = parse_ports(optarg);
			break;
		case '4':
		case '6':
			set_family(c);
			break;
		case 'a':
			opt.all = true;
			break;
		case 'x':
			opt.extended = true;
			break;
		case 'J':
			opt.json = true;
			break;
		case 'n':
			opt.count = positive(optarg, -1ULL, "bad count");
			break;
		case 'h':
			print_and_exit(usage);
		case VERSION:
			print_and_exit("tcplife (knetstat) " KNETSTAT_VERSION "\n");
		default:
			exit(2);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	if (opt.json && (opt.time || opt.timestamp || opt.wide || opt.csv))
		usage_error("-T, -t, -w and -s don't go with -J", NULL);
}

/*
 * Signals
 */

static void stop(int signal)
{
	int saved = errno;
	ssize_t n;

	(void)signal;
	n = write(stop_pipe[1], "", 1);
	(void)n;
	errno = saved;
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	/* The second one kills, should the first have gone unheard. */
	struct sigaction act = {
		.sa_handler = stop,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction old;
	size_t i;

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK)) {
		say("pipe: %s", strerror(errno));
		exit(1);
	}
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		/* What nohup and shells have ignored stays so. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
	}
	die_of_sigpipe = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
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
	catch_signals();
	parse_options(argc, argv);
	tzset();
	follow();
}
