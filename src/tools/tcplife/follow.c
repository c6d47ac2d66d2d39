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
#include <time.h>
#include <unistd.h>

#include "../lib/cgroup.h"
#include "../lib/host.h"
#include "../lib/output.h"
#include "../lib/say.h"
#include "tcplife.h"

#define READ_SIZE	65536

static const char * const column_names[COLUMNS] = {
	"TIME", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "TX_B",
	"RX_B", "MS", "NETNS", "UID", "CGROUP", "SEQ",
};

static const char * const live_names[LIVE_COLUMNS] = {
	"SINCE", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "TX_B",
	"RX_B", "MS", "NETNS", "UID", "CGROUP",
};

static u64 expected;		/* the SEQ that comes next; 0: not known */
static u64 begin_at;		/* the first SEQ that is of interest */
static u64 missed;

static int stop_pipe[2];
static bool die_of_sigpipe;

static void say_missed(void)
{
	if (missed)
		say("missed %llu row%s in all", missed, missed == 1 ? "" : "s");
}

/* The end, whatever it is. */
static void at_exit(void)
{
	bool saved = state_save();

	say_missed();
	if (!saved)
		_exit(1);
}

/* Nobody reads what we write: leave as if SIGPIPE had never been ignored. */
static void reader_gone(void)
{
	if (die_of_sigpipe) {
		say_missed();
		state_save();
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	exit(1);
}

/* The user wants no more; @writing, and not all of what there is. */
static noreturn void interrupted(bool writing)
{
	ssize_t n;

	if (!writing) {
		print_end();
		n = write(STDOUT_FILENO, out.text.data, out.text.len);
		(void)n;
	}
	exit(0);
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
		interrupted(events & POLLOUT);
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
	const char *p = take_number(word.at, number), *point;
	unsigned int digit;
	u64 n = *number;

	/* All numbers of so many digits fit. */
	if (!p || p - word.at + decimals > 19)
		return false;
	if (*p == '.') {
		point = p + 1;
		for (p = point; (digit = *p - '0') <= 9; p++)
			n = 10 * n + digit;
		if (p == point || p - point > decimals)
			return false;
		decimals -= p - point;
	}
	while (decimals-- > 0)
		n *= 10;
	*number = n;
	return p == word.at + word.len;
}

/* A number without decimals. */
static bool parse_field_number(struct word word, u64 *number)
{
	return take_number(word.at, number) == word.at + word.len;
}

/* An address of IPv4 as everybody writes it: with 4 numbers below 256. */
static bool is_ipv4(struct word field)
{
	/* What so many digits may say. */
	static const struct {
		unsigned int low;
		unsigned int high;
	} range[] = { { 1, 0 }, { 0, 9 }, { 10, 99 }, { 100, 255 } };
	const char *p = field.at, *begin;
	unsigned int digit, n, dots = 0;

	for (;;) {
		begin = p;
		for (n = 0; (digit = *p - '0') <= 9; p++)
			n = 10 * n + digit;
		if (p - begin > 3 || n < range[p - begin].low ||
		    n > range[p - begin].high)
			return false;
		if (dots == 3)
			return p == field.at + field.len;
		dots++;
		if (*p++ != '.')
			return false;
	}
}

/* An address as inet_ntop() writes it, as BCC does; the kernel's of IPv6 differs. */
static bool parse_address(struct row *row, unsigned int end, struct word field)
{
	bool v4 = is_ipv4(field);
	char *text = row->text[end];
	struct in6_addr bytes;

	/* Both are of the same family. */
	if (row->family && row->family != (v4 ? '4' : '6'))
		return false;
	row->family = v4 ? '4' : '6';
	row->addr[end] = field;
	if (v4)
		return true;
	if (field.len >= INET6_ADDRSTRLEN)
		return false;
	memcpy(text, field.at, field.len);
	text[field.len] = '\0';
	if (inet_pton(AF_INET6, text, &bytes) != 1 ||
	    !inet_ntop(AF_INET6, &bytes, text, INET6_ADDRSTRLEN))
		return false;
	row->addr[end] = word_of(text);
	return true;
}

/* Takes a column of a row. */
static bool take_column(unsigned int column, const struct word *at,
			struct row *row)
{
	struct word field = *at;
	u64 *value;

	row->word[column] = at;
	value = &row->value[column];
	switch (column) {
	case SEQ:
		return parse_field_number(field, value) && *value;
	case TIME:
		/* Not known of one that is alive, and older than the module. */
		return (opt.live && word_is(field, "-")) ||
		       parse_decimal(field, 6, value);
	case PID:
	case CGROUP:
		return word_is(field, "-") || parse_field_number(field, value);
	case LPORT:
	case RPORT:
		return parse_field_number(field, value) && *value < PORTS;
	case LADDR:
		return parse_address(row, 0, field);
	case RADDR:
		return parse_address(row, 1, field);
	case TX_B:
	case RX_B:
	case NETNS:
	case UID:
		return parse_field_number(field, value);
	case MS:
		row->old = word_is(field, "-");
		return row->old || parse_decimal(field, 3, value);
	default:
		return true;
	}
}

static bool parse_row(struct table *table, struct row *row)
{
	size_t i;

	if (!table_fields(table, row->fields))
		return false;
	for (i = 0; i < table->fields; i++)
		if (table->columns[i] != OTHER &&
		    !take_column(table->columns[i], &row->fields[i], row))
			return false;
	row->line = (struct word){
		table_row(table), table->next - table->row - 1
	};
	return true;
}

static bool wanted_user(u64 uid)
{
	size_t i;

	for (i = 0; i < opt.user_count; i++)
		if (opt.users[i] == uid)
			return true;
	return !opt.user_count;
}

static bool wanted(const struct row *row)
{
	return (!opt.family || row->family == opt.family) &&
	       (!opt.pid || row->value[PID] == opt.pid) &&
	       wanted_user(row->value[UID]) &&
	       (!opt.netns || row->value[NETNS] == opt.netns) &&
	       (!opt.cgroup || cgroup_wanted(row->value[CGROUP])) &&
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

static void flush(void)
{
	output_flush();
	state_printed();
}

/* The end of a run that has come to its end by itself. */
static noreturn void finish(void)
{
	print_end();
	flush();
	exit(0);
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
	/* The run before has printed it. */
	if (row.value[SEQ] && row.value[SEQ] < begin_at)
		return;
	if (!opt.live)
		count_missed(row.value[SEQ]);
	if (wanted(&row)) {
		print_row(table, &row);
		printed++;
	}
	state_reached(row.value[SEQ]);
	if (printed == opt.count && opt.count)
		finish();
}

static bool take_recorded(struct table *stat, u64 *seq)
{
	struct word word;
	const char *p;
	size_t i;

	if (!table_next(stat))
		return false;
	p = table_row(stat);
	for (i = 0; i < stat->fields; i++) {
		p = take_word(skip_blanks(p), &word);
		if (!field_ends(p) || (!stat->columns[i] &&
				       !parse_decimal(word, 0, seq)))
			return false;
	}
	return true;
}

/* The number of the last row there is; it may not be known. */
static bool last_seq(u64 *seq)
{
	static const char * const names[] = { "recorded" };
	struct table stat = { .read_size = 1024 };
	bool known;

	if (!table_open(&stat, host_net("stat/tcplife"))) {
		free(stat.path);
		return false;
	}
	table_header(&stat, names, ARRAY_SIZE(names));
	known = take_recorded(&stat, seq);
	table_close(&stat);
	free(stat.in.data);
	return known;
}

static void read_header(struct table *table, const char * const names[],
			unsigned int count)
{
	unsigned int all = BIT(count) - 1, found, idle = 0;
	size_t i;

	found = table_header_some(table, names, count, all & ~LATER_COLUMNS);
	if (opt.cgroup && !(found & BIT(CGROUP)))
		die("the module is older than the program: %s has no CGROUP",
		    SHOWN(table->path));
	/* What few ask for is not looked at if they don't. */
	if (!opt.netns)
		idle |= BIT(NETNS);
	if (!opt.user_count)
		idle |= BIT(UID);
	if (!opt.cgroup && !opt.extended && !opt.json)
		idle |= BIT(CGROUP);
	for (i = 0; i < table->fields; i++)
		if (table->columns[i] != OTHER && idle & BIT(table->columns[i]))
			table->columns[i] = OTHER;
}

static void begin_table(struct table *table)
{
	u64 seq, last;

	table_must_open(table, host_net("tcplife"));
	/* Little at a time: rows may follow that are not wanted. */
	table->read_size = 256;
	read_header(table, column_names, COLUMNS);
	table->read_size = READ_SIZE;
	print_header(table);
	expected = 1;
	/* Where sysfs does not tell that the module was loaded anew, this may. */
	if (opt.state && state_knows(&seq) && !(last_seq(&last) && last < seq)) {
		expected = seq + 1;
		begin_at = expected;
	}
	if (opt.all || opt.state)
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

	table_must_open(&table, host_net("tcplive"));
	read_header(&table, live_names, LIVE_COLUMNS);
	print_header(&table);
	while (table_next(&table))
		take_row(&table);
	finish();
}

/* While it goes on, a state is no older than that many seconds. */
#define STATE_AGE	1

static void save_now_and_then(void)
{
	static time_t last;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - last < STATE_AGE)
		return;
	last = now.tv_sec;
	if (!state_save())
		exit(1);
}

/**
 * follow() - print the sessions that are asked for, as they end
 *
 * With --state, and without -f, those that have ended.
 */
void follow(void)
{
	bool ends = opt.state && !opt.follow;
	struct table table = { .wait = ends ? NULL : wait_to_read };

	if (opt.state)
		state_begin(opt.state);
	begin_table(&table);
	for (;;) {
		while (table_line(&table))
			take_row(&table);
		flush();
		if (opt.state)
			save_now_and_then();
		if (!table_fill(&table) && ends)
			finish();
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
	atexit(at_exit);
}
