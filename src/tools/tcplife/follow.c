// SPDX-License-Identifier: GPL-2.0
/*
 * Following the table: reading what there is, and waiting for more.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/output.h"
#include "../lib/say.h"
#include "tcplife.h"

#define LIFE_FILE	PROC "/net/tcplife"
#define LIVE_FILE	PROC "/net/tcplive"
#define STAT_FILE	PROC "/net/stat/tcplife"
#define READ_SIZE	65536

static const char * const column_names[COLUMNS] = {
	"TIME", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "TX_B",
	"RX_B", "MS", "SEQ",
};

static const char * const live_names[LIVE_COLUMNS] = {
	"SINCE", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "TX_B",
	"RX_B", "MS",
};

static u64 expected;		/* the SEQ that comes next; 0: not known */
static u64 missed;

static int stop_pipe[2];
static bool die_of_sigpipe;

static void say_missed(void)
{
	if (missed)
		say("missed %llu row%s in all", missed, missed == 1 ? "" : "s");
}

/* Nobody reads what we write: leave as if SIGPIPE had never been ignored. */
static void reader_gone(void)
{
	if (die_of_sigpipe) {
		say_missed();
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	exit(1);
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
		if (errno != EINTR && errno != EAGAIN)
			die("poll: %s", strerror(errno));
	}
	if (fds[2].revents & POLLERR)
		reader_gone();
	/* What has been read is written first, if it can be. */
	if (fds[1].revents && !(events & POLLOUT && fds[0].revents))
		exit(0);
	return fds[0].revents;
}

static void wait_to_write(void)
{
	wait_for(STDOUT_FILENO, POLLOUT);
}

static bool wait_to_read(int fd)
{
	return wait_for(fd, POLLIN) & (POLLERR | POLLHUP);
}

/* A number with at most some decimals, in units of the last of them. */
static bool parse_decimal(struct word word, int decimals, u64 *number)
{
	bool point = false;
	size_t i;
	u64 n = 0;

	if (!word.len || !isdigit((unsigned char)*word.at))
		return false;
	for (i = 0; i < word.len; i++) {
		if (word.at[i] == '.' && !point && decimals && i + 1 < word.len) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)word.at[i]) || (point && !decimals--))
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, word.at[i] - '0', &n))
			return false;
	}
	while (decimals-- > 0)
		if (__builtin_mul_overflow(n, 10, &n))
			return false;
	*number = n;
	return true;
}

/* An address as inet_ntop() writes it, as BCC does; the kernel's differs. */
static bool parse_address(struct word field, char family, char *addr)
{
	int af = family == '6' ? AF_INET6 : AF_INET;
	struct in6_addr bytes;
	char text[64];

	if (field.len >= sizeof(text))
		return false;
	memcpy(text, field.at, field.len);
	text[field.len] = '\0';
	return inet_pton(af, text, &bytes) == 1 &&
	       inet_ntop(af, &bytes, addr, INET6_ADDRSTRLEN);
}

/* Takes a column of a row; it may be one that only the printing looks at. */
static bool take_column(unsigned int column, struct word field, struct row *row)
{
	u64 *value;

	if (column == OTHER)
		return true;
	value = &row->value[column];
	switch (column) {
	case SEQ:
		return parse_decimal(field, 0, value) && *value;
	case TIME:
		/* Not known of one that is alive, and older than the module. */
		*value = 0;
		return (opt.live && word_is(field, "-")) ||
		       parse_decimal(field, 6, value);
	case PID:
		*value = 0;
		return word_is(field, "-") || parse_decimal(field, 0, value);
	case COMM:
		row->comm = field;
		return true;
	case LPORT:
	case RPORT:
		return parse_decimal(field, 0, value) && *value < PORTS;
	case LADDR:
		row->family = memchr(field.at, ':', field.len) ? '6' : '4';
		return parse_address(field, row->family, row->addr[0]);
	case RADDR:
		return parse_address(field, memchr(field.at, ':', field.len) ?
					    '6' : '4', row->addr[1]);
	case TX_B:
	case RX_B:
		return parse_decimal(field, 0, value);
	case MS:
		row->old = word_is(field, "-");
		return row->old || parse_decimal(field, 3, value);
	default:
		return true;
	}
}

static bool parse_row(struct table *table, struct row *row)
{
	const char *p = table_row(table);
	size_t i;

	for (i = 0; i < table->fields; i++) {
		p = take_word(skip_blanks(p), &row->fields[i]);
		if (!field_ends(p) ||
		    !take_column(table->columns[i], row->fields[i], row))
			return false;
	}
	if (!table_row_ends(table, p))
		return false;
	row->line = (struct word){
		table_row(table), table->next - table->row - 1
	};
	return !strchr(row->addr[0], ':') == !strchr(row->addr[1], ':');
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
		output_flush();
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

static void take_row(struct table *table)
{
	static u64 printed;
	static struct word *fields;
	struct row row = { };

	out.row = out.text.len;
	if (!fields)
		fields = more(NULL, table->fields, sizeof(*fields));
	row.fields = fields;
	if (!parse_row(table, &row))
		table_bad(table, "row");
	if (!opt.live)
		count_missed(row.value[SEQ]);
	if (!wanted(&row))
		return;
	print_row(table, &row);
	if (++printed == opt.count) {
		output_flush();
		exit(0);
	}
}

/* The number of the last row there is; it may not be known. */
static bool last_seq(u64 *seq)
{
	static const char * const names[] = { "recorded" };
	struct table stat = { .read_size = 1024 };
	struct word word;
	const char *p;
	size_t i;

	if (!table_open(&stat, copy_of(STAT_FILE, strlen(STAT_FILE))))
		return false;
	table_header(&stat, names, ARRAY_SIZE(names));
	if (!table_next(&stat))
		return false;
	p = table_row(&stat);
	for (i = 0; i < stat.fields; i++) {
		p = take_word(skip_blanks(p), &word);
		if (!field_ends(p) || (!stat.columns[i] &&
				       !parse_decimal(word, 0, seq)))
			return false;
	}
	close(stat.fd);
	return true;
}

static void begin_table(struct table *table)
{
	u64 seq;

	table_must_open(table, copy_of(LIFE_FILE, strlen(LIFE_FILE)));
	/* Little at a time: rows may follow that are not wanted. */
	table->read_size = 256;
	table_header(table, column_names, COLUMNS);
	table->read_size = READ_SIZE;
	print_header(table);
	expected = 1;
	if (opt.all)
		return;
	table_forget(table);
	if (lseek(table->fd, 0, SEEK_HOLE) < 0)
		die("cannot follow %s: %s", SHOWN(table->path), strerror(errno));
	/* A row that came in between is shown, and does not count as missed. */
	expected = last_seq(&seq) ? seq + 1 : 0;
}

/**
 * list_live() - print the sessions that are alive, and exit
 */
void list_live(void)
{
	struct table table = { .read_size = READ_SIZE };

	table_must_open(&table, copy_of(LIVE_FILE, strlen(LIVE_FILE)));
	table_header(&table, live_names, LIVE_COLUMNS);
	print_header(&table);
	while (table_next(&table))
		take_row(&table);
	output_flush();
	exit(0);
}

/**
 * follow() - print the sessions that are asked for, as they end
 */
void follow(void)
{
	struct table table = { .wait = wait_to_read };

	begin_table(&table);
	for (;;) {
		while (table_line(&table))
			take_row(&table);
		output_flush();
		table_fill(&table);
	}
}

static void stop(int signal)
{
	int saved = errno;
	ssize_t n;

	(void)signal;
	n = write(stop_pipe[1], "", 1);
	(void)n;
	errno = saved;
}

/**
 * follow_prepare() - have signals end the program between two rows
 */
void follow_prepare(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	/* The second one kills, should the first have gone unheard. */
	struct sigaction act = {
		.sa_handler = stop,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction old;
	size_t i;

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		/* What nohup and shells have ignored stays so. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
	}
	die_of_sigpipe = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
	out.wait = wait_to_write;
	out.closed = reader_gone;
	atexit(say_missed);
}
