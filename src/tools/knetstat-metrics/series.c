// SPDX-License-Identifier: GPL-2.0
/*
 * How metrics are written: OpenMetrics 1.0.0, or Prometheus' text format 0.0.4.
 *
 * Samples are the same lines in both. What differs is how a counter's family is called,
 * that only one of them knows units, and how it ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/utf8.h"
#include "metrics.h"

#define VERSION_FILE	KNETSTAT_ROOT "/sys/module/knetstat/version"

static struct text *out_text;
static enum format out_format;
static const struct family *current;
/* Whether it has been said what the current family is. */
static bool said;

static bool is_counter(const struct family *family)
{
	return !strcmp(family->type, "counter");
}

static void comment(const char *keyword, const char *value)
{
	text_addf(out_text, "# %s %s%s %s\n", keyword, current->name,
		  out_format == PROMETHEUS && is_counter(current) ? "_total" : "", value);
}

/**
 * family_begin() - go on with another family
 * @family: it; nothing is said of one that gets no samples
 */
void family_begin(const struct family *family)
{
	current = family;
	said = false;
}

/* What a family is, is said before its first sample. */
static void sample_begin(const char *suffix, const struct text *labels)
{
	if (!said) {
		comment("HELP", current->help);
		comment("TYPE", current->type);
		if (out_format == OPENMETRICS && current->unit)
			comment("UNIT", current->unit);
		said = true;
	}
	text_add_str(out_text, current->name);
	text_add_str(out_text, is_counter(current) ? "_total" : suffix);
	if (labels && labels->len) {
		text_add(out_text, "{", 1);
		text_add(out_text, labels->data, labels->len);
		text_add(out_text, "}", 1);
	}
	text_add(out_text, " ", 1);
}

/**
 * sample() - write a sample of the current family
 * @suffix: what stands behind the name, of a histogram
 * @labels: its labels, or NULL
 * @value: its value
 */
void sample(const char *suffix, const struct text *labels, u64 value)
{
	sample_begin(suffix, labels);
	text_add_number(out_text, value);
	text_add(out_text, "\n", 1);
}

/**
 * sample_seconds() - write a sample that is a time
 * @suffix: as sample()'s
 * @labels: as sample()'s
 * @us: its value, in microseconds
 */
void sample_seconds(const char *suffix, const struct text *labels, u64 us)
{
	sample_begin(suffix, labels);
	text_addf(out_text, "%llu.%06llu\n", us / 1000000, us % 1000000);
}

/**
 * label() - add a label
 * @labels: to these
 * @name: its name
 * @value: its value, printable UTF-8
 */
void label(struct text *labels, const char *name, struct word value)
{
	size_t i;

	text_addf(labels, "%s%s=\"", labels->len ? "," : "", name);
	for (i = 0; i < value.len; i++) {
		if (value.at[i] == '"' || value.at[i] == '\\')
			text_add(labels, "\\", 1);
		text_add(labels, value.at + i, 1);
	}
	text_add(labels, "\"", 1);
}

void label_str(struct text *labels, const char *name, const char *value)
{
	label(labels, name, word_of(value));
}

/**
 * le_of_ms() - the upper bound of a bucket as OpenMetrics wants it
 * @ms: the bound, in milliseconds
 * @buffer: for the text
 *
 * Return: seconds, with as many decimals as it needs, but one at least.
 */
const char *le_of_ms(u64 ms, char buffer[LE_SIZE])
{
	int n = snprintf(buffer, LE_SIZE, "%llu.%03llu", ms / 1000, ms % 1000);

	while (buffer[n - 1] == '0' && buffer[n - 2] != '.')
		buffer[--n] = '\0';
	return buffer;
}

/* What has made the metrics; a module of other versions is read as well. */
static void print_versions(void)
{
	static const struct family family = {
		"knetstat_build_info", "gauge", NULL,
		"Versions of this program and of the kernel module.",
	};
	struct text labels = { }, version = { };
	char line[64] = "";
	int fd = open(VERSION_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	text_reserve(&version, sizeof(line));
	text_add_chars(&version, *line ? word_of(line) : word_of("-"), sizeof(line));
	label_str(&labels, "program", KNETSTAT_VERSION);
	label(&labels, "module", (struct word){ version.data, version.len });
	family_begin(&family);
	sample("", &labels, 1);
	free(labels.data);
	free(version.data);
}

/**
 * print_metrics() - write all that is asked for
 * @to: behind what is there
 * @format: in which format
 */
void print_metrics(struct text *to, enum format format)
{
	static void (* const printers[COLLECTED])(void) = {
		[SESSIONS] = print_sessions,
		[RECORDER] = print_recorder,
		[TROUBLE] = print_trouble,
		[LISTENERS] = print_listeners,
		[UDP] = print_udp,
		[SOCKETS] = print_sockets,
	};
	unsigned int i;

	out_text = to;
	out_format = format;
	print_versions();
	for (i = 0; i < COLLECTED; i++)
		if (opt.collect & BIT(i))
			printers[i]();
	if (format == OPENMETRICS)
		text_add_str(to, "# EOF\n");
}
