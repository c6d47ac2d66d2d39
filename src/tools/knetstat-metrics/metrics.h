/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of knetstat-metrics.
 */
#ifndef KNETSTAT_METRICS_H
#define KNETSTAT_METRICS_H

#include "../lib/table.h"
#include "../lib/text.h"

enum format {
	ANY_FORMAT,	/* what is usual there */
	OPENMETRICS,	/* version 1.0.0 */
	PROMETHEUS,	/* Prometheus' older text format, 0.0.4 */
};

/* What may be left out. */
enum {
	SESSIONS,
	RECORDER,
	TROUBLE,
	LISTENERS,
	UDP,
	SOCKETS,
	COLLECTED,
};

/**
 * struct options - what the user asked for
 * @format: the format; ANY_FORMAT: none was named
 * @collect: what to print, by bit
 * @ports: for each port whether it has series of its own; NULL: all have
 * @limit: how many of a kind have series of their own
 * @textfile: the directory to write to; NULL: none
 * @http: answer a request, whatever stdin is
 * @timeout: how many seconds a client gets
 */
struct options {
	enum format format;
	unsigned int collect;
	bool *ports;
	u64 limit;
	const char *textfile;
	bool http;
	unsigned int timeout;
};

extern struct options opt;

/**
 * struct family - metrics of one name
 * @name: the name, without what it ends in for its type
 * @type: counter, gauge or histogram
 * @unit: what the name ends in, if that is a unit; or NULL
 * @help: what it is
 */
struct family {
	const char *name;
	const char *type;
	const char *unit;
	const char *help;
};

/* What le_of_ms() needs. */
#define LE_SIZE		32

/* The label of what has no series of its own; no port that there is. */
#define REST		"*"

void print_metrics(struct text *to, enum format format);

void family_begin(const struct family *family);
void sample(const char *suffix, const struct text *labels, u64 value);
void sample_seconds(const char *suffix, const struct text *labels, u64 us);
void label(struct text *labels, const char *name, struct word value);
void label_str(struct text *labels, const char *name, const char *value);
const char *le_of_ms(u64 ms, char buffer[LE_SIZE]);

/**
 * struct rows - one of the module's files, open
 * @table: it
 * @words: the fields of the row at hand, by the index of their column's name; behind
 *	those, all others
 * @count: how many names there are
 */
struct rows {
	struct table table;
	struct word *words;
	unsigned int count;
};

unsigned int rows_open(struct rows *rows, const char *file, const char * const names[],
		       unsigned int count, unsigned int needed, bool always);
bool rows_next(struct rows *rows);
const char *rows_take(struct rows *rows, const char *p, size_t from, size_t to);
size_t rows_place(const struct rows *rows, unsigned int column);
void rows_end(struct rows *rows, const char *p);
void rows_skip(struct rows *rows);
u64 rows_number(const struct rows *rows, struct word field);
void rows_close(struct rows *rows);
void *one_more(void *data, size_t count, size_t size);

void print_sessions(void);
void print_recorder(void);
void print_trouble(void);
void print_listeners(void);
void print_udp(void);
void print_sockets(void);

bool has_mark(struct word diag, const char *mark);

void write_textfile(const char *dir, const struct text *text);
bool http_is_wanted(void);
noreturn void http_answer(void);

#endif /* KNETSTAT_METRICS_H */
