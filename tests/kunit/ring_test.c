// SPDX-License-Identifier: GPL-2.0
/*
 * The ring: which rows a reader finds in it, and that they are whole.
 */
#include <linux/smp.h>

#include "../../src/life/ring.c"

#include "crowd.h"
#include "suites.h"

/* Views, which take turns in no order. */
#define VIEWS	3

#define ROW_WORDS	(sizeof(struct life_row) / sizeof(u64))

static_assert(sizeof(struct life_row) % sizeof(u64) == 0);
static_assert(offsetof(struct life_row, view_seq) == 0);

/* A row all of which but its view_seq says that it is number @mark. */
static void fill_row(struct life_row *row, u64 mark)
{
	u64 *word = (u64 *)row;
	unsigned int i;

	for (i = 0; i < ROW_WORDS; i++)
		word[i] = mark * ROW_WORDS + i;
}

/* What number a row says it is, if all of it says the same; or 0. */
static u64 row_mark(const struct life_row *row)
{
	const u64 *word = (const u64 *)row;
	u64 mark = div_u64(word[1], ROW_WORDS);
	unsigned int i;

	for (i = 1; i < ROW_WORDS; i++)
		if (word[i] != mark * ROW_WORDS + i)
			return 0;
	return mark;
}

static void free_ring(void *ring)
{
	ring_exit(ring);
}

static void make_ring(struct kunit *test, struct ring *ring, unsigned int rows)
{
	KUNIT_ASSERT_EQ(test, ring_init(ring, rows), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_ring, ring),
			0);
}

static void write_row(struct ring *ring, u64 mark, u64 *view_seq)
{
	struct life_row row;
	unsigned long flags;

	fill_row(&row, mark);
	raw_spin_lock_irqsave(&ring->lock, flags);
	ring_write(ring, &row, view_seq);
	raw_spin_unlock_irqrestore(&ring->lock, flags);
}

static const struct size_case {
	const char *name;
	unsigned int rows;
} size_cases[] = {
	{ "1 row", 1 },
	{ "2 rows", 2 },
	{ "4 rows", 4 },
	{ "64 rows", 64 },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

static void ring_test_empty(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	u64 recorded = 0, view_head = 77, n;
	struct life_row row;
	struct ring *ring;

	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	make_ring(test, ring, c->rows);

	KUNIT_EXPECT_EQ(test, ring_head(ring, NULL, &view_head), 1);
	KUNIT_EXPECT_EQ(test, view_head, 0);
	view_head = 77;
	KUNIT_EXPECT_EQ(test, ring_head(ring, &recorded, &view_head), 1);
	KUNIT_EXPECT_EQ(test, view_head, 0);
	KUNIT_EXPECT_EQ(test, ring_tail(ring, 1), 1);
	for (n = 1; n <= 2 * c->rows + 1; n++)
		KUNIT_EXPECT_FALSE(test, ring_read(ring, n, &row));
}

/* Asks for number @n, which is there or not. */
static void expect_row(struct kunit *test, const struct ring *ring, u64 n,
		       bool there)
{
	struct life_row row;

	KUNIT_ASSERT_EQ_MSG(test, ring_read(ring, n, &row), there,
			    "row %llu, head %llu", n, ring->head);
	if (!there)
		return;
	KUNIT_ASSERT_EQ(test, row_mark(&row), n);
	KUNIT_ASSERT_EQ(test, row.view_seq, n);
}

/*
 * One row after the other, and after each a reader at every distance: long
 * overwritten, just overwritten, there, not yet there.
 */
static void expect_distances(struct kunit *test, unsigned int rows, u64 first)
{
	u64 recorded = first - 1, view_head, head, tail, n;
	struct ring *ring;

	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	make_ring(test, ring, rows);
	ring->head = first;
	for (head = first; head < first + 3 * rows + 2;) {
		write_row(ring, head, &recorded);
		head++;

		KUNIT_ASSERT_EQ(test, ring_head(ring, NULL, &view_head), head);
		KUNIT_ASSERT_EQ(test, view_head, head - 1);
		KUNIT_ASSERT_EQ(test, ring_head(ring, &recorded, &view_head),
				head);
		KUNIT_ASSERT_EQ(test, view_head, head - 1);

		/* As many rows as it has, or all there are. */
		tail = head > rows ? head - rows : 1;
		KUNIT_ASSERT_EQ(test, ring_tail(ring, head), tail);
		tail = max(tail, first);
		for (n = max_t(s64, 1, head - 3 * rows); n < tail; n++)
			expect_row(test, ring, n, false);
		for (; n < head; n++)
			expect_row(test, ring, n, true);
		for (; n < head + 2 * rows + 1; n++)
			expect_row(test, ring, n, false);
	}
}

static void ring_test_distances(struct kunit *test)
{
	const struct size_case *c = test->param_value;

	expect_distances(test, c->rows, 1);
	/* Where 32 bits would begin again. */
	expect_distances(test, c->rows, BIT_ULL(32) - c->rows - 1);
}

/* A slot that is being written, with the old row or the new one in it. */
static void ring_test_being_written(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct ring_slot *slot;
	struct ring *ring;
	u64 recorded = 0, n, m, seq;

	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	make_ring(test, ring, c->rows);
	for (n = 1; n <= 2 * c->rows; n++)
		write_row(ring, n, &recorded);

	for (n = c->rows + 1; n <= 2 * c->rows; n++) {
		slot = &ring->slots[n & ring->mask];
		seq = slot->seq;
		KUNIT_ASSERT_EQ(test, seq, n);
		slot->seq = 0;
		for (m = 1; m <= 3 * c->rows; m++)
			expect_row(test, ring, m,
				   m > c->rows && m <= 2 * c->rows && m != n);
		slot->seq = seq;
		expect_row(test, ring, n, true);
	}
}

/* Each view counts its own, in the order of the ring. */
static void ring_test_views(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	u64 recorded[VIEWS] = {}, first[VIEWS], view_head, head, n;
	const u64 rows = 5 * c->rows + 7;
	struct life_row row;
	struct ring *ring;
	int view;

	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	make_ring(test, ring, c->rows);
	for (n = 1; n <= rows; n++)
		write_row(ring, n, &recorded[n * n / 3 % VIEWS]);
	KUNIT_ASSERT_EQ(test, recorded[0] + recorded[1] + recorded[2], rows);

	for (view = 0; view < VIEWS; view++) {
		KUNIT_ASSERT_GT(test, recorded[view], 0);
		head = ring_head(ring, &recorded[view], &view_head);
		KUNIT_EXPECT_EQ(test, head, rows + 1);
		KUNIT_EXPECT_EQ(test, view_head, recorded[view]);
		first[view] = 0;
	}
	for (n = ring_tail(ring, head); n < head; n++) {
		KUNIT_ASSERT_TRUE(test, ring_read(ring, n, &row));
		KUNIT_EXPECT_EQ(test, row_mark(&row), n);
		view = n * n / 3 % VIEWS;
		if (first[view])
			KUNIT_EXPECT_EQ(test, row.view_seq, first[view] + 1);
		first[view] = row.view_seq;
	}
	/* Whatever of a view is left ends with its newest row. */
	for (view = 0; view < VIEWS; view++)
		if (first[view])
			KUNIT_EXPECT_EQ(test, first[view], recorded[view]);
}

/* Many at once */

#define WRITERS	3
#define READERS	2
/* Each writer is two: it also interrupts another processor, to write there. */
#define HANDS	(2 * WRITERS)

struct scene;

/**
 * struct writer - one who writes rows
 * @scene: where
 * @hand: its number, if it is on its thread; in an interrupt WRITERS more
 * @rows: how many the thread writes
 * @cpu: whom it interrupts
 */
struct writer {
	struct scene *scene;
	unsigned int hand;
	u64 rows;
	int cpu;
};

/**
 * struct reader - one who follows
 * @scene: what
 * @complaint: what was wrong first, or NULL
 * @at: which row that was
 * @read: rows read
 * @missed: rows that had been overwritten
 * @count: of each hand, the rows read
 * @last: of each hand, the number of the last row
 * @view_seq: of each view, the number of the last row
 */
struct reader {
	struct scene *scene;
	const char *complaint;
	u64 at;
	u64 read;
	u64 missed;
	u64 count[HANDS];
	u64 last[HANDS];
	u64 view_seq[VIEWS];
};

struct scene {
	struct ring ring;
	u64 recorded[VIEWS];
	u64 wrote[HANDS];
	atomic_t writing;
	struct writer writers[WRITERS];
	struct reader readers[READERS];
};

/* Rows are marked with the hand that wrote them and its count. */
static u64 hand_mark(unsigned int hand, u64 count)
{
	return count * HANDS + hand;
}

static unsigned int mark_view(u64 mark)
{
	return mark % 7 % VIEWS;
}

static void hand_write(struct scene *scene, unsigned int hand)
{
	u64 mark = hand_mark(hand, ++scene->wrote[hand]);

	write_row(&scene->ring, mark, &scene->recorded[mark_view(mark)]);
}

static void writer_interrupt(void *arg)
{
	struct writer *writer = arg;

	hand_write(writer->scene, WRITERS + writer->hand);
}

static void writer_run(void *arg)
{
	struct writer *writer = arg;
	u64 i;

	for (i = 0; i < writer->rows; i++) {
		hand_write(writer->scene, writer->hand);
		if (!(i % 4))
			smp_call_function_single(writer->cpu, writer_interrupt,
						 writer, true);
		cond_resched();
	}
	atomic_dec_return_release(&writer->scene->writing);
}

static void complain(struct reader *reader, u64 at, const char *complaint)
{
	if (!reader->complaint) {
		reader->at = at;
		reader->complaint = complaint;
	}
}

static void reader_row(struct reader *reader, u64 n, const struct life_row *row)
{
	u64 mark = row_mark(row), count;
	unsigned int hand, view;

	if (!mark) {
		complain(reader, n, "a row is not whole");
		return;
	}
	count = div_u64_rem(mark, HANDS, &hand);
	view = mark_view(mark);
	if (count <= reader->last[hand])
		complain(reader, n, "a writer's rows are out of order");
	if (row->view_seq <= reader->view_seq[view])
		complain(reader, n, "numbers in a view do not ascend");
	reader->last[hand] = count;
	reader->view_seq[view] = row->view_seq;
	reader->count[hand]++;
	reader->read++;
}

/* One pass, as life_find() goes. Returns where the next one begins. */
static u64 reader_pass(struct reader *reader, u64 n, unsigned int view)
{
	struct scene *scene = reader->scene;
	u64 head, limit, view_head, dummy, next;
	struct life_row row;

	limit = ring_head(&scene->ring, &scene->recorded[view], &view_head);
	if (view_head < reader->view_seq[view])
		complain(reader, limit, "a view has less rows than were read");
	while (n < limit) {
		if (ring_read(&scene->ring, n, &row)) {
			reader_row(reader, n++, &row);
			continue;
		}
		/* Then the next one for its slot is at least begun. */
		head = ring_head(&scene->ring, NULL, &dummy);
		if (head <= n + scene->ring.mask)
			complain(reader, n, "a row is not there, and should");
		next = min(limit, max(n + 1, ring_tail(&scene->ring, head)));
		reader->missed += next - n;
		n = next;
	}
	if (reader->view_seq[view] > view_head)
		complain(reader, n, "a view's row is newer than its head");
	/* Any that comes now must be newer. */
	reader->view_seq[view] = view_head;
	return n;
}

static void reader_run(void *arg)
{
	struct reader *reader = arg;
	unsigned int pass = 0;
	bool more;
	u64 n = 1;

	do {
		more = atomic_read_acquire(&reader->scene->writing);
		n = reader_pass(reader, n, pass++ % VIEWS);
		cond_resched();
	} while (more);
}

static const struct crowd_case {
	const char *name;
	unsigned int rows;
	u64 writes;
} crowd_cases[] = {
	{ "1 row", 1, CROWD_ROUNDS(8000) },
	{ "2 rows", 2, CROWD_ROUNDS(8000) },
	{ "64 rows", 64, CROWD_ROUNDS(8000) },
	{ "rows for all", 65536, CROWD_ROUNDS(8000) },
};

KUNIT_ARRAY_PARAM_DESC(crowd, crowd_cases, name);

static void ring_test_crowd(struct kunit *test)
{
	const struct crowd_case *c = test->param_value;
	struct crowd *crowd = crowd_make(test);
	u64 head, dummy, n, sum = 0, view_sum = 0;
	struct reader *last;
	struct scene *scene;
	struct life_row row;
	int i, hand;

	scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, scene);
	make_ring(test, &scene->ring, c->rows);
	for (i = 0; i < WRITERS; i++) {
		struct writer *writer = &scene->writers[i];

		writer->scene = scene;
		writer->hand = i;
		writer->rows = c->writes;
		writer->cpu = crowd_cpu(i + 1);
		crowd_add(crowd, writer_run, writer);
	}
	for (i = 0; i < READERS; i++) {
		scene->readers[i].scene = scene;
		crowd_add(crowd, reader_run, &scene->readers[i]);
	}
	atomic_set(&scene->writing, WRITERS);
	crowd_run(test, crowd);

	head = ring_head(&scene->ring, NULL, &dummy);
	for (hand = 0; hand < HANDS; hand++)
		sum += scene->wrote[hand];
	for (i = 0; i < VIEWS; i++)
		view_sum += scene->recorded[i];
	for (i = 0; i < WRITERS; i++)
		KUNIT_EXPECT_EQ(test, scene->wrote[i], c->writes);
	KUNIT_EXPECT_EQ(test, head - 1, sum);
	KUNIT_EXPECT_EQ(test, head - 1, view_sum);

	for (i = 0; i < READERS; i++) {
		struct reader *reader = &scene->readers[i];

		if (reader->complaint)
			KUNIT_FAIL(test, "reader %d at row %llu: %s", i,
				   reader->at, reader->complaint);
		KUNIT_EXPECT_EQ(test, reader->read + reader->missed, sum);
		kunit_info(test, "%s: %llu rows, %llu of them in interrupts; reader %d read %llu and missed %llu",
			   c->name, sum, sum - WRITERS * c->writes, i,
			   reader->read, reader->missed);
		if (c->rows < sum)
			continue;
		KUNIT_EXPECT_EQ(test, reader->missed, 0);
		for (hand = 0; hand < HANDS; hand++)
			KUNIT_EXPECT_EQ(test, reader->count[hand],
					scene->wrote[hand]);
	}

	/* What is left is all there, and without a gap in any view. */
	last = kunit_kzalloc(test, sizeof(*last), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, last);
	for (n = ring_tail(&scene->ring, head); n < head; n++) {
		unsigned int view;

		KUNIT_ASSERT_TRUE(test, ring_read(&scene->ring, n, &row));
		view = mark_view(row_mark(&row));
		if (last->view_seq[view])
			KUNIT_ASSERT_EQ(test, row.view_seq,
					last->view_seq[view] + 1);
		reader_row(last, n, &row);
	}
	KUNIT_EXPECT_PTR_EQ(test, last->complaint, NULL);
	for (i = 0; i < VIEWS; i++)
		if (last->view_seq[i])
			KUNIT_EXPECT_EQ(test, last->view_seq[i],
					scene->recorded[i]);
}

static struct kunit_case ring_tests[] = {
	KUNIT_CASE_PARAM(ring_test_empty, size_gen_params),
	KUNIT_CASE_PARAM(ring_test_distances, size_gen_params),
	KUNIT_CASE_PARAM(ring_test_being_written, size_gen_params),
	KUNIT_CASE_PARAM(ring_test_views, size_gen_params),
	KUNIT_CASE_PARAM(ring_test_crowd, crowd_gen_params),
	{}
};

struct kunit_suite ring_suite = {
	.name = "knetstat_ring",
	.test_cases = ring_tests,
};
