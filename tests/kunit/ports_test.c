// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of ports: what is counted, where, and who gets a row.
 */
#include "../../src/life/ports.c"

#include "suites.h"

/**
 * struct scene - counters, and whose they are
 * @ports: the counters
 * @all: the view of all namespaces
 * @one: that of a namespace
 * @other: and of another
 * @text: a row, or the header
 */
struct scene {
	struct ports ports;
	struct ports_view all, one, other;
	char text[PORTS_ROW_MAX];
};

static void free_scene(void *arg)
{
	struct scene *scene = arg;

	ports_exit(&scene->ports);
}

static struct scene *make_scene(struct kunit *test, unsigned int limit)
{
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	KUNIT_ASSERT_EQ(test, ports_init(&scene->ports, limit), 0);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, free_scene, scene), 0);
	scene->one.id = 1;
	scene->other.id = 2;
	return scene;
}

static struct life_row session_to(u16 port)
{
	return (struct life_row) {
		.role = LIFE_ROLE_CONN,
		.end = LIFE_END_FIN,
		.ends = { .lport = 40000, .rport = port },
		.life_us = LIFE_UNKNOWN_US,
		.conn_us = LIFE_UNKNOWN_US,
		.srtt_us = LIFE_UNKNOWN_US,
	};
}

static void count_to(struct scene *scene, struct ports_view *view, u16 port)
{
	struct life_row row = session_to(port);

	ports_count(&scene->ports, view, &scene->all, &row);
}

static struct port_row *row_of(const struct scene *scene,
			       const struct ports_view *view,
			       enum life_role role, u16 port)
{
	unsigned int length;

	return ports_find(&scene->ports, port_key(view->id, role, port), &length);
}

/* How many sessions to a port a view has; 0 if it has no row for it. */
static u64 counted(const struct scene *scene, const struct ports_view *view,
		   u16 port)
{
	const struct port_row *row = row_of(scene, view, LIFE_ROLE_CONN, port);

	return row ? row->counts.ends[LIFE_END_FIN] : 0;
}

static const struct edge_case {
	const char *name;
	u64 us;
	unsigned int life, conn;
} edge_cases[] = {
	{ "0", 0, 0, 0 },
	{ "1 ms", 1000, 0, 0 },
	{ "more than 1 ms", 1001, 1, 1 },
	{ "5 ms", 5000, 1, 1 },
	{ "more than 5 ms", 5001, 1, 2 },
	{ "10 ms", 10000, 1, 2 },
	{ "more than 10 ms", 10001, 2, 2 },
	{ "25 ms", 25000, 2, 2 },
	{ "more than 25 ms", 25001, 2, 3 },
	{ "100 ms", 100000, 2, 3 },
	{ "more than 100 ms", 100001, 3, 4 },
	{ "500 ms", 500000, 3, 4 },
	{ "more than 500 ms", 500001, 3, 5 },
	{ "1 s", 1000000, 3, 5 },
	{ "more than 1 s", 1000001, 4, 5 },
	{ "10 s", 10000000, 4, 5 },
	{ "more than 10 s", 10000001, 5, 5 },
	{ "the longest", U64_MAX - 1, 5, 5 },
};

KUNIT_ARRAY_PARAM_DESC(edge, edge_cases, name);

static void expect_bucket(struct kunit *test, const u64 *buckets,
			  unsigned int wanted)
{
	unsigned int i;

	for (i = 0; i < PORTS_BUCKETS; i++)
		KUNIT_EXPECT_EQ(test, buckets[i], i == wanted);
}

static void ports_test_edges(struct kunit *test)
{
	const struct edge_case *c = test->param_value;
	struct scene *scene = make_scene(test, 8);
	struct life_row row = session_to(80);
	const struct port_counts *counts;

	row.life_us = c->us;
	row.conn_us = c->us;
	row.srtt_us = c->us;
	ports_count(&scene->ports, &scene->one, &scene->all, &row);
	counts = &row_of(scene, &scene->one, LIFE_ROLE_CONN, 80)->counts;
	expect_bucket(test, counts->life_in, c->life);
	expect_bucket(test, counts->conn_in, c->conn);
	expect_bucket(test, counts->srtt_in, c->conn);
	KUNIT_EXPECT_EQ(test, counts->life_us, c->us);
	KUNIT_EXPECT_EQ(test, counts->conn_us, c->us);
	KUNIT_EXPECT_EQ(test, counts->srtt_us, c->us);
	KUNIT_EXPECT_EQ(test, counts->conns, 1);
	KUNIT_EXPECT_EQ(test, counts->srtts, 1);
}

static void ports_test_unknown(struct kunit *test)
{
	struct scene *scene = make_scene(test, 8);
	const struct port_counts *counts;

	count_to(scene, &scene->one, 80);
	counts = &row_of(scene, &scene->one, LIFE_ROLE_CONN, 80)->counts;
	KUNIT_EXPECT_EQ(test, counts->ends[LIFE_END_FIN], 1);
	KUNIT_EXPECT_EQ(test, counts->conns + counts->srtts, 0);
	KUNIT_EXPECT_EQ(test, counts->life_us + counts->conn_us + counts->srtt_us, 0);
	expect_bucket(test, counts->life_in, PORTS_BUCKETS);
}

/* The port is that of the service, and what has no role has none. */
static void ports_test_sides(struct kunit *test)
{
	struct scene *scene = make_scene(test, 8);
	struct life_row row = session_to(80);

	ports_count(&scene->ports, &scene->one, &scene->all, &row);
	row.role = LIFE_ROLE_ACPT;
	ports_count(&scene->ports, &scene->one, &scene->all, &row);
	row.role = LIFE_ROLE_NONE;
	ports_count(&scene->ports, &scene->one, &scene->all, &row);
	KUNIT_EXPECT_NOT_NULL(test, row_of(scene, &scene->one, LIFE_ROLE_CONN, 80));
	KUNIT_EXPECT_NOT_NULL(test, row_of(scene, &scene->one, LIFE_ROLE_ACPT, 40000));
	KUNIT_EXPECT_EQ(test, scene->ports.free, 6);
	KUNIT_EXPECT_EQ(test, scene->one.other[LIFE_ROLE_NONE].ends[LIFE_END_FIN], 1);
	KUNIT_EXPECT_EQ(test, scene->all.other[LIFE_ROLE_NONE].ends[LIFE_END_FIN], 1);
}

/* Who takes all it can get leaves half of it, and the next half of that. */
static void ports_test_fair(struct kunit *test)
{
	struct scene *scene = make_scene(test, 64);
	unsigned int i;

	for (i = 0; i < 1000; i++)
		count_to(scene, &scene->one, i);
	KUNIT_EXPECT_EQ(test, scene->one.rows[LIFE_ROLE_CONN], 32);
	KUNIT_EXPECT_EQ(test, scene->one.other[LIFE_ROLE_CONN].ends[LIFE_END_FIN],
			1000 - 32);
	for (i = 0; i < 1000; i++)
		count_to(scene, &scene->other, i);
	KUNIT_EXPECT_EQ(test, scene->other.rows[LIFE_ROLE_CONN], 16);
	KUNIT_EXPECT_EQ(test, scene->all.other[LIFE_ROLE_CONN].ends[LIFE_END_FIN],
			1000 - 32 + 1000 - 16);
	KUNIT_EXPECT_EQ(test, scene->ports.free, 16);
	/* What has a row keeps it. */
	for (i = 0; i < 32; i++)
		count_to(scene, &scene->one, i);
	KUNIT_EXPECT_EQ(test, counted(scene, &scene->one, 31), 2);
}

/* No chain gets longer than it may be, whatever the keys. */
static void ports_test_chain(struct kunit *test)
{
	struct scene *scene = make_scene(test, 64);
	unsigned int i;

	scene->ports.shift = 63;	/* two chains */
	for (i = 0; i < 1000; i++)
		count_to(scene, &scene->one, i);
	KUNIT_EXPECT_LE(test, scene->one.rows[LIFE_ROLE_CONN], 2 * PORTS_CHAIN);
	KUNIT_EXPECT_EQ(test, scene->one.rows[LIFE_ROLE_CONN] +
			scene->all.other[LIFE_ROLE_CONN].ends[LIFE_END_FIN], 1000);
}

static void leave(struct scene *scene, struct ports_view *view)
{
	unsigned int i;

	for (i = 0; i < scene->ports.used; i++)
		if (scene->ports.rows[i].key &&
		    port_key_view(scene->ports.rows[i].key) == view->id)
			ports_leave(&scene->ports, i, view, &scene->all);
}

/* What a namespace has counted is there when it has gone, and its rows are free. */
static void ports_test_leave(struct kunit *test)
{
	struct scene *scene = make_scene(test, 64);
	unsigned int generation, i;

	for (i = 0; i < 10; i++) {
		count_to(scene, &scene->one, i);
		count_to(scene, &scene->other, i);
	}
	generation = scene->ports.generation;
	leave(scene, &scene->one);
	KUNIT_EXPECT_NE(test, scene->ports.generation, generation);
	KUNIT_EXPECT_EQ(test, scene->ports.free, 64 - 20);
	KUNIT_EXPECT_EQ(test, scene->all.rows[LIFE_ROLE_CONN], 10);
	leave(scene, &scene->other);
	KUNIT_EXPECT_EQ(test, scene->ports.free, 64 - 10);
	KUNIT_EXPECT_EQ(test, scene->all.rows[LIFE_ROLE_CONN], 10);
	KUNIT_EXPECT_EQ(test, scene->one.rows[LIFE_ROLE_CONN], 0);
	KUNIT_EXPECT_EQ(test, scene->other.rows[LIFE_ROLE_CONN], 0);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, counted(scene, &scene->all, i), 2);
		KUNIT_EXPECT_NULL(test, row_of(scene, &scene->one, LIFE_ROLE_CONN, i));
	}
	/* A row that is used again begins at nothing. */
	count_to(scene, &scene->one, 7777);
	KUNIT_EXPECT_EQ(test, counted(scene, &scene->one, 7777), 1);
}

/* Namespaces that come and go do not fill it up. */
static void ports_test_many_leave(struct kunit *test)
{
	struct scene *scene = make_scene(test, 64);
	unsigned int i, sum = 0;

	for (i = 0; i < 5000; i++) {
		scene->one.id = 3 + i / 5;
		count_to(scene, &scene->one, i);
		if (i % 5 == 4)
			leave(scene, &scene->one);
	}
	KUNIT_EXPECT_GE(test, scene->ports.free, 32);
	for (i = 0; i < 5000; i++)
		sum += counted(scene, &scene->all, i);
	KUNIT_EXPECT_EQ(test, sum + scene->all.other[LIFE_ROLE_CONN].ends[LIFE_END_FIN],
			5000);
}

/* The widest row fits, and the header is in line with the narrowest. */
static void ports_test_text(struct kunit *test)
{
	struct scene *scene = make_scene(test, 1);
	struct port_counts *counts = &scene->one.other[0];
	char *end;

	memset(scene->text, 'X', sizeof(scene->text));
	memset(counts, 0xff, sizeof(*counts));
	end = ports_row_write(scene->text,
			      ports_order(LIFE_ROLE_CONN, 65535), counts);
	KUNIT_EXPECT_LE(test, end - scene->text + FIELD_SLACK, PORTS_ROW_MAX);
	KUNIT_EXPECT_EQ(test, end[-1], '\n');
	*end = '\0';
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->text, "conn 65535 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->text, " 18446744073709551.615 "));

	memset(counts, 0, sizeof(*counts));
	end = ports_row_write(scene->text,
			      ports_order(LIFE_ROLE_NONE, PORTS_ORDER_OTHER),
			      counts);
	KUNIT_EXPECT_EQ(test, end - scene->text,
			ports_header_write(scene->text) - scene->text);
}

static void ports_test_cumulative(struct kunit *test)
{
	struct scene *scene = make_scene(test, 8);
	struct life_row row = session_to(443);
	/* CONNS and SRTTS, then MS_LE1 to MS_LE10000. */
	const char *wanted = " 0        0        1        2        3         4          5 ";
	unsigned int i;
	char *end;

	for (i = 0; i < PORTS_BUCKETS; i++) {
		row.life_us = ports_life_us[i];
		ports_count(&scene->ports, &scene->one, &scene->all, &row);
	}
	end = ports_row_write(scene->text, ports_order(LIFE_ROLE_CONN, 443),
			      &row_of(scene, &scene->one, LIFE_ROLE_CONN, 443)->counts);
	*end = '\0';
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(scene->text, wanted), "%s",
				  scene->text);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->text, "  11111.000 "));
}

static void ports_test_order(struct kunit *test)
{
	KUNIT_EXPECT_LT(test, ports_order(LIFE_ROLE_NONE, PORTS_ORDER_OTHER),
			ports_order(LIFE_ROLE_ACPT, 0));
	KUNIT_EXPECT_LT(test, ports_order(LIFE_ROLE_ACPT, 65535),
			ports_order(LIFE_ROLE_ACPT, PORTS_ORDER_OTHER));
	KUNIT_EXPECT_LT(test, ports_order(LIFE_ROLE_ACPT, PORTS_ORDER_OTHER),
			ports_order(LIFE_ROLE_CONN, 0));
	KUNIT_EXPECT_LT(test, ports_order(LIFE_ROLE_CONN, PORTS_ORDER_OTHER),
			1 << PORTS_ORDER_BITS);
}

static struct kunit_case ports_tests[] = {
	KUNIT_CASE_PARAM(ports_test_edges, edge_gen_params),
	KUNIT_CASE(ports_test_unknown),
	KUNIT_CASE(ports_test_sides),
	KUNIT_CASE(ports_test_fair),
	KUNIT_CASE(ports_test_chain),
	KUNIT_CASE(ports_test_leave),
	KUNIT_CASE(ports_test_many_leave),
	KUNIT_CASE(ports_test_text),
	KUNIT_CASE(ports_test_cumulative),
	KUNIT_CASE(ports_test_order),
	{}
};

struct kunit_suite ports_suite = {
	.name = "knetstat_ports",
	.test_cases = ports_tests,
};
