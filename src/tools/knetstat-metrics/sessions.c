// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that have ended, by role and port: tcpports; and what the recorder says of
 * itself: stat/tcplife.
 *
 * What has no series of its own is added up, and must only ever grow: so those with the
 * lowest ports have one. Ports only ever appear; and where one takes the place of another
 * all that was counted of that moves to the rest, for good.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/lists.h"
#include "metrics.h"

#define BUCKETS_MAX	16

enum { ROLE, PORT, TX_B, RX_B, RETX, CONNS, SRTTS, COUNTS };

static const char * const names[] = {
	"ROLE", "PORT", "TX_B", "RX_B", "RETX", "CONNS", "SRTTS",
	"FIN", "RESET", "ABORT", "REFUSED", "TIMEOUT", "UNREACH", "OTHER",
	"MS_SUM", "CONN_MS_SUM", "SRTT_MS_SUM",
};

static const char * const ends[] = {
	"fin", "reset", "abort", "refused", "timeout", "unreach", "other",
};

/* Their place among the names. */
#define ENDS		COUNTS
#define SUMS		(ENDS + ARRAY_SIZE(ends))

enum { DURATION, CONNECT, SRTT, HISTOGRAMS };

/* How their columns of buckets are called, before the bound in milliseconds. */
static const char * const bucket_names[HISTOGRAMS] = { "MS_LE", "CONN_LE", "SRTT_LE" };

/**
 * struct bounds - the buckets of a histogram
 * @count: how many there are
 * @ms: their upper bounds
 * @field: their columns' places
 */
static struct bounds {
	unsigned int count;
	u64 ms[BUCKETS_MAX];
	size_t field[BUCKETS_MAX];
} bounds[HISTOGRAMS];

/**
 * struct side - what is counted of a role and a port
 * @labels: the two
 * @role: the first
 * @ends: sessions, by how they ended
 * @tx: bytes sent
 * @rx: bytes received
 * @retx: segments retransmitted
 * @histograms: the histograms; of each how many are in the buckets up to one, how many
 *	there are, and their sum in microseconds
 */
struct side {
	struct text labels;
	char role[8];
	u64 ends[ARRAY_SIZE(ends)];
	u64 tx, rx, retx;
	struct {
		u64 buckets[BUCKETS_MAX];
		u64 count, sum;
	} histograms[HISTOGRAMS];
};

static struct side *sides;
static size_t side_count;

static void find_buckets(const struct rows *rows)
{
	const struct table *table = &rows->table;
	struct bounds *to;
	size_t i, prefix;
	unsigned int h;
	u64 ms;

	for (i = 0; i < table->fields; i++) {
		for (h = 0; h < HISTOGRAMS; h++) {
			prefix = strlen(bucket_names[h]);
			if (table->names[i].len <= prefix ||
			    memcmp(table->names[i].at, bucket_names[h], prefix))
				continue;
			to = &bounds[h];
			if (to->count == BUCKETS_MAX ||
			    !parse_number((struct word){ table->names[i].at + prefix,
							 table->names[i].len - prefix },
					  -1ULL, &ms))
				continue;
			to->field[to->count] = rows->count + i;
			to->ms[to->count++] = ms;
		}
	}
}

/* Milliseconds with three decimals, as microseconds. */
static u64 microseconds(const struct rows *rows, struct word field)
{
	const char *p;
	u64 ms, us;

	p = take_number(field.at, &ms);
	if (!p || *p != '.' || !field_ends(take_number(p + 1, &us)) ||
	    field.at + field.len - p != 4)
		table_bad(&rows->table, "row");
	return ms * 1000 + us;
}

static bool has_series(const struct rows *rows, u64 of_role)
{
	struct word port = rows->words[PORT];
	u64 number;

	if (word_is(port, REST))
		return false;
	number = rows_number(rows, port);
	if (number >= PORTS)
		table_bad(&rows->table, "row");
	return of_role < opt.limit && (!opt.ports || opt.ports[number]);
}

static void add_row(struct side *side, const struct rows *rows)
{
	const struct word *words = rows->words;
	u64 sessions = 0, number;
	size_t h, i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		number = rows_number(rows, words[ENDS + i]);
		side->ends[i] += number;
		sessions += number;
	}
	side->tx += rows_number(rows, words[TX_B]);
	side->rx += rows_number(rows, words[RX_B]);
	side->retx += rows_number(rows, words[RETX]);
	/* How long it lived is known of each that has a role. */
	side->histograms[DURATION].count += sessions;
	side->histograms[CONNECT].count += rows_number(rows, words[CONNS]);
	side->histograms[SRTT].count += rows_number(rows, words[SRTTS]);
	for (h = 0; h < HISTOGRAMS; h++) {
		side->histograms[h].sum += microseconds(rows, words[SUMS + h]);
		for (i = 0; i < bounds[h].count; i++)
			side->histograms[h].buckets[i] +=
				rows_number(rows, words[bounds[h].field[i]]);
	}
}

static void name_side(struct side *side, struct word role, struct word port)
{
	memcpy(side->role, role.at, role.len);
	label(&side->labels, "role", role);
	label(&side->labels, "port", port);
}

static struct side *add_side(void)
{
	sides = one_more(sides, side_count, sizeof(*sides));
	sides[side_count] = (struct side){ };
	return &sides[side_count++];
}

/*
 * Rows come by role, then by port, and what has none is the last of its role: there goes
 * what has no series, too.
 */
static void read_sides(struct rows *rows)
{
	const struct word *role = &rows->words[ROLE];
	struct side rest = { }, *side;
	char last[sizeof(rest.role)] = "";
	u64 of_role = 0;

	while (rows_next(rows)) {
		if (role->len >= sizeof(last))
			table_bad(&rows->table, "row");
		if (!word_is(*role, last)) {
			if (rest.labels.len)
				*add_side() = rest;
			rest = (struct side){ };
			of_role = 0;
			memset(last, 0, sizeof(last));
			memcpy(last, role->at, role->len);
		}
		if (has_series(rows, of_role)) {
			of_role++;
			side = add_side();
			name_side(side, *role, rows->words[PORT]);
		} else {
			side = &rest;
			if (!rest.labels.len)
				name_side(side, *role, word_of(REST));
		}
		add_row(side, rows);
	}
	if (rest.labels.len)
		*add_side() = rest;
}

static void print_counter(const struct family *family, size_t offset)
{
	size_t i;

	family_begin(family);
	for (i = 0; i < side_count; i++)
		sample("", &sides[i].labels, *(u64 *)((char *)&sides[i] + offset));
}

static void print_ends(void)
{
	static const struct family family = {
		"knetstat_sessions", "counter", NULL,
		"TCP sessions that have ended, by how they did.",
	};
	static struct text labels;
	size_t i, end;

	family_begin(&family);
	for (i = 0; i < side_count; i++) {
		for (end = 0; end < ARRAY_SIZE(ends); end++) {
			labels.len = 0;
			text_add(&labels, sides[i].labels.data, sides[i].labels.len);
			label_str(&labels, "end", ends[end]);
			sample("", &labels, sides[i].ends[end]);
		}
	}
}

static void print_histogram(const struct side *side, unsigned int h)
{
	static struct text labels;
	char buffer[LE_SIZE];
	unsigned int i;

	for (i = 0; i <= bounds[h].count; i++) {
		bool last = i == bounds[h].count;

		labels.len = 0;
		text_add(&labels, side->labels.data, side->labels.len);
		label_str(&labels, "le", last ? "+Inf" : le_of_ms(bounds[h].ms[i], buffer));
		sample("_bucket", &labels, last ? side->histograms[h].count :
						  side->histograms[h].buckets[i]);
	}
	sample_seconds("_sum", &side->labels, side->histograms[h].sum);
	sample("_count", &side->labels, side->histograms[h].count);
}

static void print_histograms(void)
{
	static const struct family families[HISTOGRAMS] = {
		[DURATION] = {
			"knetstat_session_duration_seconds", "histogram", "seconds",
			"How long TCP sessions that have ended had lived.",
		},
		[CONNECT] = {
			"knetstat_session_connect_seconds", "histogram", "seconds",
			"From the SYN to ESTABLISHED, of sessions that have ended.",
		},
		[SRTT] = {
			"knetstat_session_srtt_seconds", "histogram", "seconds",
			"The last smoothed round-trip time of sessions that have ended.",
		},
	};
	/* Whose role is "-" is older than the module; and only who connects sends a SYN. */
	static const char * const without[HISTOGRAMS][3] = {
		[DURATION] = { "-" }, [CONNECT] = { "-", "acpt" },
	};
	unsigned int h;
	size_t i;

	for (h = 0; h < HISTOGRAMS; h++) {
		family_begin(&families[h]);
		for (i = 0; i < side_count; i++) {
			const char * const *not = without[h];

			while (*not && strcmp(*not, sides[i].role))
				not++;
			if (!*not)
				print_histogram(&sides[i], h);
		}
	}
}

/**
 * print_sessions() - write what tcpports counts
 */
void print_sessions(void)
{
	static const struct family sent = {
		"knetstat_session_sent_bytes", "counter", "bytes",
		"Payload that the peers of sessions that have ended acknowledged.",
	}, received = {
		"knetstat_session_received_bytes", "counter", "bytes",
		"Payload that was received in sessions that have ended.",
	}, retransmitted = {
		"knetstat_session_retransmitted_segments", "counter", NULL,
		"Segments that were sent again in sessions that have ended.",
	};
	struct rows rows;

	if (!rows_open(&rows, "tcpports", names, ARRAY_SIZE(names),
		       BIT(ARRAY_SIZE(names)) - 1, false))
		return;
	find_buckets(&rows);
	read_sides(&rows);
	rows_close(&rows);
	print_ends();
	print_counter(&sent, offsetof(struct side, tx));
	print_counter(&received, offsetof(struct side, rx));
	print_counter(&retransmitted, offsetof(struct side, retx));
	print_histograms();
}

/**
 * print_recorder() - write what stat/tcplife counts
 */
void print_recorder(void)
{
	static const char * const columns[] = {
		"recorded", "overwritten", "dropped", "untracked", "tracked",
	};
	static const struct family families[] = {
		{ "knetstat_recorded_sessions", "counter", NULL,
		  "TCP sessions that have ended and were recorded." },
		{ "knetstat_overwritten_sessions", "counter", NULL,
		  "Recorded sessions whose places in tcplife later ones have taken." },
		{ "knetstat_dropped_sessions", "counter", NULL,
		  "TCP sessions that have ended and were not recorded." },
		{ "knetstat_untracked_sessions", "counter", NULL,
		  "TCP sessions that there was no room to track while they were alive." },
		{ "knetstat_tracked_sessions", "gauge", NULL,
		  "TCP sessions that are alive and tracked." },
	};
	struct rows rows;
	size_t i;

	if (!rows_open(&rows, "stat/tcplife", columns, ARRAY_SIZE(columns),
		       BIT(ARRAY_SIZE(columns)) - 1, false))
		return;
	if (!rows_next(&rows))
		table_bad(&rows.table, "file");
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		family_begin(&families[i]);
		sample("", NULL, rows_number(&rows, rows.words[i]));
	}
	rows_close(&rows);
}
