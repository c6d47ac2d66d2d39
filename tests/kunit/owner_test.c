// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of sockowner: how they are kept, found and written.
 */
#include <linux/slab.h>

#include "../../src/owner/map.c"
#include "../../src/owner/memory.c"
#include "../../src/owner/rows.c"
#include "../../src/owner/text.c"

#include "suites.h"

static void free_rows(void *rows)
{
	owner_rows_free(rows);
}

static struct owner_rows *make_rows(struct kunit *test)
{
	struct owner_rows *rows = kunit_kzalloc(test, sizeof(*rows), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rows);
	owner_rows_init(rows);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_rows, rows),
			0);
	return rows;
}

/* Adds rows of descriptors from @first on. */
static void add_rows(struct kunit *test, struct owner_rows *rows,
		     unsigned int first, unsigned int count)
{
	unsigned int i;

	for (i = first; i < first + count; i++) {
		struct owner_chunk *chunk = owner_rows_grow(rows, 1);

		KUNIT_ASSERT_NOT_NULL(test, chunk);
		chunk->rows[chunk->count++] = (struct owner_row){
			.inode = 1000 + i, .pid = 1, .fd = i,
		};
		rows->count++;
	}
}

/* That the rows are those of descriptors @first, @first + @step and so on. */
static void expect_rows(struct kunit *test, const struct owner_rows *rows,
			unsigned int first, unsigned int step,
			unsigned long count)
{
	const struct owner_chunk *chunk;
	unsigned long n = 0;
	unsigned int i;

	list_for_each_entry(chunk, &rows->chunks, list)
		for (i = 0; i < chunk->count; i++, n++)
			KUNIT_ASSERT_EQ(test, chunk->rows[i].fd,
					first + step * n);
	KUNIT_EXPECT_EQ(test, n, count);
	KUNIT_EXPECT_EQ(test, rows->count, count);
}

static unsigned int chunks_of(const struct owner_rows *rows)
{
	const struct owner_chunk *chunk;
	unsigned int n = 0;

	list_for_each_entry(chunk, &rows->chunks, list)
		n++;
	return n;
}

static const struct count_case {
	const char *name;
	unsigned int count;
} count_cases[] = {
	{ "no row", 0 },
	{ "1 row", 1 },
	{ "a chunk less a row", OWNER_CHUNK_ROWS - 1 },
	{ "a chunk", OWNER_CHUNK_ROWS },
	{ "a chunk and a row", OWNER_CHUNK_ROWS + 1 },
	{ "three chunks", 3 * OWNER_CHUNK_ROWS },
	{ "1000 rows", 1000 },
};

KUNIT_ARRAY_PARAM_DESC(count, count_cases, name);

static void owner_test_truncate(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_rows *rows = make_rows(test);

	add_rows(test, rows, 0, c->count);
	/* An empty chunk at the end, as for a process that has no row. */
	KUNIT_ASSERT_NOT_NULL(test, owner_rows_grow(rows, OWNER_CHUNK_ROWS));
	add_rows(test, rows, c->count, 700);
	owner_rows_truncate(rows, c->count);
	expect_rows(test, rows, 0, 1, c->count);
	add_rows(test, rows, c->count, 700);
	expect_rows(test, rows, 0, 1, c->count + 700);
	owner_rows_truncate(rows, 0);
	expect_rows(test, rows, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, chunks_of(rows), 0U);
}

static void owner_test_sort(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_rows *rows = make_rows(test);

	add_rows(test, rows, 0, 100);
	/* Three tables, of which two have some rows in common. */
	add_rows(test, rows, 100 + c->count, 10);
	KUNIT_ASSERT_NOT_NULL(test, owner_rows_grow(rows, OWNER_CHUNK_ROWS));
	add_rows(test, rows, 100, c->count);
	add_rows(test, rows, 100 + c->count / 2, c->count - c->count / 2);
	KUNIT_ASSERT_EQ(test, owner_rows_sort(rows, 100), 0);
	expect_rows(test, rows, 0, 1, 110 + c->count);
}

/* Rows of one descriptor stay if they differ in anything that is shown. */
static void owner_test_sort_alike(struct kunit *test)
{
	struct owner_rows *rows = make_rows(test);
	struct owner_chunk *chunk;
	unsigned int i;

	add_rows(test, rows, 7, 1);
	chunk = owner_rows_grow(rows, 12);
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	for (i = 1; i < 12; i++)
		chunk->rows[i] = chunk->rows[0];
	chunk->rows[1].inode = 5;
	chunk->rows[2].ends.lport = 5;
	chunk->rows[3].ends.rport = 5;
	chunk->rows[4].ends.laddr.s6_addr[15] = 5;
	chunk->rows[5].ends.raddr.s6_addr[15] = 5;
	chunk->count = 12;
	rows->count = 12;
	KUNIT_ASSERT_EQ(test, owner_rows_sort(rows, 0), 0);
	KUNIT_EXPECT_EQ(test, rows->count, 6UL);
}

static void owner_test_drop(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_rows *rows = make_rows(test);
	struct owner_chunk *chunk;
	unsigned int i;

	add_rows(test, rows, 0, c->count);
	list_for_each_entry(chunk, &rows->chunks, list)
		for (i = 0; i < chunk->count; i++)
			chunk->rows[i].held = chunk->rows[i].fd % 3;
	owner_rows_drop_held(rows);
	expect_rows(test, rows, 0, 3, DIV_ROUND_UP(c->count, 3));
	KUNIT_EXPECT_LE(test, chunks_of(rows), 1 + c->count / 3 /
			(unsigned int)OWNER_CHUNK_ROWS);
	list_for_each_entry(chunk, &rows->chunks, list)
		for (i = 0; i < chunk->count; i++)
			chunk->rows[i].held = true;
	owner_rows_drop_held(rows);
	expect_rows(test, rows, 0, 1, 0);
}

static void owner_test_append(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_rows *rows = make_rows(test);
	struct owner_rows *more = make_rows(test);

	add_rows(test, rows, 0, c->count);
	add_rows(test, more, c->count, 1000);
	owner_rows_append(rows, more);
	expect_rows(test, rows, 0, 1, c->count + 1000);
	expect_rows(test, more, 0, 1, 0);
}

static void owner_test_map(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_slot *slot;
	struct owner_map map = {};
	struct owner_row row;
	u64 key;

	KUNIT_EXPECT_NULL(test, owner_map_next(&map, 1, NULL));
	KUNIT_ASSERT_EQ(test, owner_map_init(&map, c->count), 0);
	KUNIT_EXPECT_NULL(test, owner_map_next(&map, 1, NULL));
	for (key = 1; key <= c->count; key++)
		KUNIT_EXPECT_TRUE(test, owner_map_add(&map, key << 6, &row));
	for (key = 1; key <= c->count; key++) {
		slot = owner_map_next(&map, key << 6, NULL);
		KUNIT_ASSERT_NOT_NULL(test, slot);
		KUNIT_EXPECT_PTR_EQ(test, slot->row, &row);
		KUNIT_EXPECT_NULL(test, owner_map_next(&map, key << 6, slot));
		KUNIT_EXPECT_NULL(test, owner_map_next(&map, (key << 6) + 1,
						       NULL));
	}
	owner_map_free(&map);
}

/* One key again and again, until nothing more fits. */
static void owner_test_map_full(struct kunit *test)
{
	struct owner_slot *slot = NULL;
	struct owner_map map = {};
	unsigned long n = 0;

	KUNIT_ASSERT_EQ(test, owner_map_init(&map, 3), 0);
	while (owner_map_add(&map, 5 + n % 2, NULL))
		n++;
	KUNIT_EXPECT_EQ(test, n, 15UL);
	for (n = 0; (slot = owner_map_next(&map, 5, slot)); n++)
		KUNIT_ASSERT_LE(test, n, 15UL);
	KUNIT_EXPECT_EQ(test, n, 8UL);
	KUNIT_EXPECT_NULL(test, owner_map_next(&map, 7, NULL));
	owner_map_free(&map);
}

static const struct row_case {
	const char *name;
	struct owner_row row;
	const char *line;
} row_cases[] = {
	{
		"held",
		{
			.inode = 4711, .uid = 1000, .pid = 812, .fd = 3,
			.comm = "sshd", .ends.family = AF_INET, .ends.lport = 22,
			.state = TCP_LISTEN,
		},
		" 1000     812 sshd                 3 tcp4  LSTN 0.0.0.0:22            0.0.0.0:*                 4711\n",
	},
	{
		"not held",
		{ .ends.family = AF_INET, .state = TCP_TIME_WAIT, .ends.lport = 1 },
		"    0       - -                    - tcp4  TIMW 0.0.0.0:1             0.0.0.0:*                    0\n",
	},
	{
		"IPv6 and UDP",
		{
			.ends.family = AF_INET6, .udp = true, .pid = 1,
			.comm = "a b", .state = TCP_CLOSE, .inode = 1,
		},
		"    0       1 a\\040b               0 udp6  UNCN :::*                  :::*                         1\n",
	},
	{
		"everything at its widest",
		{
			.ends.family = AF_INET6, .uid = U32_MAX, .pid = U32_MAX,
			.fd = U32_MAX, .inode = U64_MAX, .ends.lport = U16_MAX,
			.ends.rport = U16_MAX, .state = TCP_ESTABLISHED,
			.comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
			.ends.laddr = { { {
				0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			} } },
			.ends.raddr = { { {
				0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0, 0, 0x5e, 0xfe, 255, 255, 255, 255,
			} } },
		},
		"4294967295 4294967295 \\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001 4294967295 tcp6  ESTB ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535 ffff:ffff:ffff:ffff:0:5efe:255.255.255.255:65535 18446744073709551615\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(row, row_cases, name);

static void owner_test_write(struct kunit *test)
{
	const struct row_case *c = test->param_value;
	struct owner_writer writer = {};
	char *text[3], *end;
	unsigned int i;

	/* The second time it knows of the first; and the third is another's. */
	for (i = 0; i < ARRAY_SIZE(text); i++) {
		struct owner_row *row;

		/* KASAN sees what is stored beyond. */
		text[i] = kunit_kzalloc(test, OWNER_ROW_MAX, GFP_KERNEL);
		row = kunit_kzalloc(test, sizeof(*row), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, text[i]);
		KUNIT_ASSERT_NOT_NULL(test, row);
		*row = c->row;
		row->pid += i == 2;
		end = owner_row_write(&writer, text[i], row);
		*end = '\0';
	}
	KUNIT_EXPECT_STREQ(test, text[0], c->line);
	KUNIT_EXPECT_STREQ(test, text[1], c->line);
	KUNIT_EXPECT_STRNEQ(test, text[2], c->line);
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE_PARAM(owner_test_truncate, count_gen_params),
	KUNIT_CASE_PARAM(owner_test_sort, count_gen_params),
	KUNIT_CASE(owner_test_sort_alike),
	KUNIT_CASE_PARAM(owner_test_drop, count_gen_params),
	KUNIT_CASE_PARAM(owner_test_append, count_gen_params),
	KUNIT_CASE_PARAM(owner_test_map, count_gen_params),
	KUNIT_CASE(owner_test_map_full),
	KUNIT_CASE_PARAM(owner_test_write, row_gen_params),
	{}
};

struct kunit_suite owner_suite = {
	.name = "knetstat_owner",
	.test_cases = owner_cases,
};
