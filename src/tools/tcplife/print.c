// SPDX-License-Identifier: GPL-2.0
/*
 * How a session is printed.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "../lib/cgroup.h"
#include "../lib/json.h"
#include "../lib/output.h"
#include "../lib/utf8.h"
#include "tcplife.h"

static void print_comm(struct word comm, size_t width, size_t max)
{
	size_t chars = text_add_chars(&out.text, comm, max);

	for (; chars < width; chars++)
		text_add(&out.text, " ", 1);
}

static void print_times(const struct table *table, const struct row *row)
{
	static bool begun;
	static u64 begin;
	time_t seconds = row->value[TIME] / 1000000;
	struct tm tm;

	if (opt.time) {
		if (!localtime_r(&seconds, &tm))
			table_bad(table, "row");
		if (!row->value[TIME])
			text_add_str(&out.text, opt.csv ? "-," : "-        ");
		else
			text_addf(&out.text, opt.csv ? "%02d:%02d:%02d," : "%02d:%02d:%02d ",
				  tm.tm_hour, tm.tm_min, tm.tm_sec);
	}
	if (opt.timestamp) {
		if (!begun)
			begin = row->value[TIME];
		begun = true;
		text_addf(&out.text, opt.csv ? "%.6f," : "%-9.6f ",
			  ((double)row->value[TIME] - begin) / 1000000);
	}
}

static void print_separated(u64 number, char separator)
{
	text_add_number(&out.text, number);
	text_add(&out.text, &separator, 1);
}

/* MS with two decimals, as printf rounds the nearest double of it; and the end. */
static void print_ms(const struct row *row)
{
	u64 ms = row->value[MS], hundredths = ms / 10;
	char decimals[2];

	if (row->old) {
		text_add_str(&out.text, "nan\n");
		return;
	}
	/* Which way a tie goes is for the double to say. */
	if (ms % 10 == 5) {
		text_addf(&out.text, "%.2f\n", (double)ms / 1000);
		return;
	}
	hundredths += ms % 10 > 5;
	print_separated(hundredths / 100, '.');
	decimals[0] = '0' + hundredths / 10 % 10;
	decimals[1] = '0' + hundredths % 10;
	text_add(&out.text, decimals, 2);
	text_add(&out.text, "\n", 1);
}

static void print_ends(const struct row *row, size_t width)
{
	text_add_column(&out.text, row->addr[0], width);
	text_add_column(&out.text, *row->word[LPORT], 5);
	text_add_column(&out.text, row->addr[1], width);
	text_add_column(&out.text, *row->word[RPORT], 5);
}

static void print_value(struct word word)
{
	text_add(&out.text, word.at, word.len);
	text_add(&out.text, ",", 1);
}

/* The number, or 0 where none is known. */
static struct word pid_of(const struct row *row)
{
	static const char zero[1 + SLACK] = "0";

	return row->value[PID] ? *row->word[PID] : word_of(zero);
}

/* BCC's columns, but for the times before them. */
static void print_bcc(const struct table *table, const struct row *row)
{
	struct word comm = table_unescape(table, *row->word[COMM]);
	u64 tx = row->value[TX_B] / 1024, rx = row->value[RX_B] / 1024;

	if (opt.csv) {
		print_value(pid_of(row));
		print_comm(comm, 0, comm.len);
		text_add(&out.text, (char []){ ',', row->family, ',' }, 3);
		print_value(row->addr[0]);
		print_value(*row->word[LPORT]);
		print_value(row->addr[1]);
		print_value(*row->word[RPORT]);
		print_separated(tx, ',');
		print_separated(rx, ',');
		print_ms(row);
		return;
	}
	text_add_column(&out.text, pid_of(row), 5);
	if (opt.wide) {
		print_comm(comm, 16, 16);
		text_add(&out.text, " ", 1);
		text_add(&out.text, &row->family, 1);
		text_add(&out.text, "  ", 2);
	} else {
		print_comm(comm, 10, 10);
		text_add(&out.text, " ", 1);
	}
	print_ends(row, opt.wide ? 39 : 15);
	text_add_number_right(&out.text, tx, opt.wide ? 6 : 5);
	text_add(&out.text, " ", 1);
	text_add_number_right(&out.text, rx, opt.wide ? 6 : 5);
	text_add(&out.text, " ", 1);
	print_ms(row);
}

/* The path of the row's cgroup, or "-". */
static struct word cgroup_of(const struct row *row)
{
	const char *path = row->value[CGROUP] ? cgroup_path(row->value[CGROUP]) :
						NULL;

	return word_of(path ?: "-");
}

/* All columns, as the file has them, but for the cgroup. */
static void print_extended(const struct table *table, const struct row *row)
{
	const char *from = row->line.at;
	struct word field;
	size_t i, n;

	for (i = 0; i < table->fields; i++) {
		field = row->fields[i];
		if (i && opt.csv)
			text_add(&out.text, ",", 1);
		if (table->columns[i] == CGROUP) {
			if (!opt.csv)
				text_add(&out.text, from, field.at - from);
			from = field.at + field.len;
			text_add_escaped(&out.text, cgroup_of(row), opt.csv ? ',' : 0);
			continue;
		}
		for (n = 0; opt.csv && n < field.len; n++) {
			if (field.at[n] == ',')
				text_add_str(&out.text, "\\054");
			else
				text_add(&out.text, field.at + n, 1);
		}
	}
	if (!opt.csv)
		text_add(&out.text, from, row->line.at + row->line.len - from);
	text_add(&out.text, "\n", 1);
}

/* Whether JSON shows a column as a string, whatever it looks like. */
static bool is_string(struct word name)
{
	static const char * const strings[] = {
		"COMM", "BY", "ROLE", "LADDR", "RADDR", "END", "STAT",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(strings); i++)
		if (word_is(name, strings[i]))
			return true;
	return false;
}

static void print_json(const struct table *table, const struct row *row)
{
	bool has_cgroup = false;
	struct word path;
	char key[64];
	size_t i, n;

	json_row(&out.text);
	for (i = 0; i < table->fields; i++) {
		struct word name = table->names[i], field = row->fields[i];

		for (n = 0; n < name.len && n < sizeof(key) - 1; n++)
			key[n] = tolower((unsigned char)name.at[n]);
		key[n] = '\0';
		json_key(&out.text, key);
		if (word_is(field, "-"))
			text_add_str(&out.text, "null");
		else if (!is_string(name) && json_is_number(field))
			text_add_word(&out.text, field);
		else
			json_string(&out.text, table_unescape(table, field));
		has_cgroup |= table->columns[i] == CGROUP;
	}
	if (has_cgroup) {
		path = cgroup_of(row);
		json_text(&out.text, "cgroup_path",
			  word_is(path, "-") ? (struct word){ } : path);
	}
	json_row_end(&out.text);
}

/**
 * print_header() - print the line that says what the columns are
 * @table: the table
 */
void print_header(const struct table *table)
{
	size_t i;

	if (opt.json) {
		json_begin(&out.text, opt.array);
		return;
	}
	if (opt.time)
		text_add_str(&out.text, opt.csv ? "TIME," : "TIME     ");
	if (opt.timestamp)
		text_add_str(&out.text, opt.csv ? "TIME(s)," : "TIME(s)   ");
	if (opt.extended && opt.csv) {
		for (i = 0; i < table->fields; i++)
			text_addf(&out.text, "%s%s", i ? "," : "",
				  table->names[i].at);
		text_add_str(&out.text, "\n");
	} else if (opt.extended) {
		text_addf(&out.text, "%.*s\n",
			  (int)(table->next - table->row - 1), table_row(table));
	} else if (opt.csv) {
		text_add_str(&out.text, "PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS\n");
	} else if (opt.wide) {
		text_addf(&out.text, "%-5s %-16s %-2s %-39s %-5s %-39s %-5s %6s %6s %s\n",
			  "PID", "COMM", "IP", "LADDR", "LPORT", "RADDR",
			  "RPORT", "TX_KB", "RX_KB", "MS");
	} else {
		text_addf(&out.text, "%-5s %-10s %-15s %-5s %-15s %-5s %5s %5s %s\n",
			  "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT",
			  "TX_KB", "RX_KB", "MS");
	}
}

/**
 * print_end() - print what is behind the last row
 */
void print_end(void)
{
	json_end(&out.text);
}

/**
 * print_row() - print a session
 * @table: the table
 * @row: its row, which is the one at hand
 */
void print_row(const struct table *table, const struct row *row)
{
	if (opt.json) {
		print_json(table, row);
		return;
	}
	print_times(table, row);
	if (opt.extended)
		print_extended(table, row);
	else
		print_bcc(table, row);
}
