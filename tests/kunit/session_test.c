// SPDX-License-Identifier: GPL-2.0
/*
 * The table of live sessions. Its sockets are addresses where nothing is: it
 * never follows them.
 */
#include <linux/smp.h>

#include "../../src/life/session.c"

#include "crowd.h"
#include "suites.h"

/* Sockets of one line may be in so many places. */
#define REACH	(SESSION_LINE * SESSION_LINES)

#define TASK_WORDS	(sizeof(struct life_task) / sizeof(u32))

static_assert(sizeof(struct life_task) % sizeof(u32) == 0);

static void free_table(void *table)
{
	session_table_exit(table);
}

static struct session_table *make_table(struct kunit *test,
					unsigned int sessions)
{
	struct session_table *table = kunit_kzalloc(test, sizeof(*table),
						    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_ASSERT_EQ(test, session_table_init(table, sessions), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_table, table),
			0);
	return table;
}

/* The next address after @sk that looks for a place from @line on. */
static const void *next_in_line(const struct session_table *table,
				const void *sk, unsigned long line)
{
	unsigned long key = (unsigned long)sk;

	do
		key += 64;
	while (session_line(table, key, 0) !=
	       table->keys + (line & table->line_mask) * SESSION_LINE);
	return (const void *)key;
}

/* All of a task says who it is: socket @id's, for the @count-th time. */
static void fill_task(struct life_task *task, unsigned int id, u32 count)
{
	u32 *word = (u32 *)task;
	unsigned int i;

	for (i = 0; i < TASK_WORDS; i++)
		word[i] = count << 8 | id << 4 | i;
}

/* Which time it is, or 0 if not all of it is that socket's. */
static u32 task_count(const struct life_task *task, unsigned int id)
{
	const u32 *word = (const u32 *)task;
	unsigned int i;

	for (i = 0; i < TASK_WORDS; i++)
		if (word[i] != ((word[0] & ~0xffU) | id << 4 | i))
			return 0;
	return word[0] >> 8;
}

/* As the probe does when a socket listens. */
static void listens(struct session *session, unsigned int id, u32 count)
{
	session_write_begin(session);
	session->listener = true;
	session->by = LIFE_BY_LISTEN;
	fill_task(&session->task, id, count);
	session_write_end(session);
}

/* As the probe does when a socket connects. */
static void connects(struct session *session, unsigned int id, u32 count,
		     u32 netns)
{
	session_write_begin(session);
	session->start_us = (u64)id << 32 | count;
	session->netns = netns;
	session->role = LIFE_ROLE_CONN;
	session->listener = false;
	session->established = false;
	session->by = LIFE_BY_CONNECT;
	fill_task(&session->task, id, count);
	session_write_end(session);
}

static bool is_of(const struct session *session, unsigned int id, u32 count)
{
	return session->start_us == ((u64)id << 32 | count) &&
	       !session->listener && session->by == LIFE_BY_CONNECT &&
	       task_count(&session->task, id) == count;
}

static struct session *expect_claim(struct kunit *test,
				    struct session_table *table, const void *sk)
{
	struct session *session;

	KUNIT_ASSERT_PTR_EQ(test, session_find(table, sk), NULL);
	session = session_claim(table, sk);
	KUNIT_ASSERT_NOT_NULL(test, session);
	KUNIT_ASSERT_PTR_EQ(test, session_find(table, sk), session);
	return session;
}

static void session_test_size(struct kunit *test)
{
	static const struct {
		unsigned int sessions;
		unsigned long lines;
	} sizes[] = {
		{ 1, 1 }, { 2, 1 }, { 4, 1 }, { 8, 2 }, { 64, 16 },
		{ 65536, 16384 },
	};
	struct session_table *table;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		table = make_table(test, sizes[i].sessions);
		KUNIT_EXPECT_EQ(test, table->line_mask + 1, sizes[i].lines);
		KUNIT_EXPECT_EQ(test, session_count(table, 0), 0);
		KUNIT_EXPECT_PTR_EQ(test, session_find(table, table), NULL);
	}
}

/* A socket's life, and that of another one at the same address. */
static void session_test_reuse(struct kunit *test)
{
	struct session_table *table = make_table(test, 64);
	const void *sk = (void *)0x1000, *other = (void *)0x2000;
	struct session *session, *second;
	struct life_task task;

	session = expect_claim(test, table, sk);
	second = expect_claim(test, table, other);
	KUNIT_EXPECT_PTR_NE(test, session, second);
	connects(session, 1, 1, 5);
	connects(second, 2, 1, 5);
	KUNIT_EXPECT_TRUE(test, is_of(session, 1, 1));
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 2);

	session_release(table, session);
	KUNIT_EXPECT_PTR_EQ(test, session_find(table, sk), NULL);
	KUNIT_EXPECT_PTR_EQ(test, session_find(table, other), second);
	KUNIT_EXPECT_TRUE(test, is_of(second, 2, 1));
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 1);

	/* Then a listener has the address, then a session again. */
	session = expect_claim(test, table, sk);
	listens(session, 1, 2);
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 1);
	KUNIT_EXPECT_TRUE(test, session_copy_task(table, sk, &task));
	KUNIT_EXPECT_EQ(test, task_count(&task, 1), 2);
	session_release(table, session);

	session = expect_claim(test, table, sk);
	connects(session, 1, 3, 5);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	KUNIT_EXPECT_TRUE(test, is_of(session, 1, 3));
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 2);
	session_release(table, session);
	session_release(table, second);
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 0);
}

/*
 * More sockets of one line than there are places within reach: each of the
 * others is as it was. In the last line, too, whose neighbours are the first.
 */
static void expect_full(struct kunit *test, unsigned int sessions,
			unsigned long line)
{
	struct session_table *table = make_table(test, sessions);
	const unsigned int places = min_t(unsigned long, REACH,
					  (table->line_mask + 1) * SESSION_LINE);
	struct session *session[REACH], *left;
	const void *sk[REACH], *one_more;
	unsigned int i, j;

	for (i = 0; i < places; i++) {
		sk[i] = next_in_line(table, i ? sk[i - 1] : NULL, line);
		session[i] = expect_claim(test, table, sk[i]);
		connects(session[i], i % 16, i + 1, 1);
		/* Nearest line first. */
		KUNIT_EXPECT_EQ(test, (session[i] - table->sessions) / SESSION_LINE,
				((line + i / SESSION_LINE) & table->line_mask));
	}
	one_more = next_in_line(table, sk[places - 1], line);
	KUNIT_EXPECT_PTR_EQ(test, session_claim(table, one_more), NULL);
	KUNIT_EXPECT_PTR_EQ(test, session_find(table, one_more), NULL);
	KUNIT_EXPECT_EQ(test, session_count(table, 0), places);
	/* Beyond their reach there is room. */
	if (table->line_mask >= SESSION_LINES) {
		left = expect_claim(test, table,
				    next_in_line(table, NULL,
						 line + SESSION_LINES));
		session_release(table, left);
	}

	/* Whichever of them goes, the rest stays, and there is room for one. */
	for (i = 0; i < places; i++) {
		session_release(table, session[i]);
		for (j = 0; j < places; j++)
			KUNIT_ASSERT_PTR_EQ(test, session_find(table, sk[j]),
					    j == i ? NULL : session[j]);
		left = expect_claim(test, table, one_more);
		KUNIT_ASSERT_PTR_EQ(test, left, session[i]);
		KUNIT_ASSERT_PTR_EQ(test, session_claim(table, sk[i]), NULL);
		session_release(table, left);
		session[i] = expect_claim(test, table, sk[i]);
		KUNIT_ASSERT_PTR_EQ(test, left, session[i]);
		connects(session[i], i % 16, i + 1, 1);
	}
	for (i = 0; i < places; i++)
		KUNIT_EXPECT_TRUE(test, is_of(session[i], i % 16, i + 1));
	KUNIT_EXPECT_EQ(test, session_count(table, 0), places);
}

static void session_test_full(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 4, 8, 16, 64 };
	unsigned int i, lines;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		lines = max(2 * sizes[i] / SESSION_LINE, 1U);
		expect_full(test, sizes[i], 0);
		expect_full(test, sizes[i], lines / 2);
		expect_full(test, sizes[i], lines - 1);
	}
}

/* A socket in the second line keeps its place when the first has room again. */
static void session_test_keeps_place(struct kunit *test)
{
	struct session_table *table = make_table(test, 64);
	struct session *session[SESSION_LINE + 1];
	const void *sk = NULL;
	int i;

	for (i = 0; i <= SESSION_LINE; i++) {
		sk = next_in_line(table, sk, 3);
		session[i] = expect_claim(test, table, sk);
	}
	session_release(table, session[2]);
	KUNIT_EXPECT_PTR_EQ(test, session_find(table, sk),
			    session[SESSION_LINE]);
	session_release(table, session[SESSION_LINE]);
	KUNIT_EXPECT_PTR_EQ(test, session_find(table, sk), NULL);
	/* The next time it has that room. */
	KUNIT_EXPECT_PTR_EQ(test, expect_claim(test, table, sk), session[2]);
}

/* What somebody who does not hold the socket's lock is told of it. */
static void session_test_copy_task(struct kunit *test)
{
	struct session_table *table = make_table(test, 4);
	const void *sk = (void *)0x1000, *other = (void *)0x2000;
	struct session *session;
	struct life_task task;

	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));

	/* Claimed, and nothing known yet. */
	session = expect_claim(test, table, sk);
	KUNIT_EXPECT_FALSE(test, session->stamp & 1);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	listens(session, 1, 7);
	KUNIT_EXPECT_TRUE(test, session_copy_task(table, sk, &task));
	KUNIT_EXPECT_EQ(test, task_count(&task, 1), 7);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, other, &task));

	/* While it is changed. */
	session_write_begin(session);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	fill_task(&session->task, 1, 8);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	session_write_end(session);
	KUNIT_EXPECT_TRUE(test, session_copy_task(table, sk, &task));
	KUNIT_EXPECT_EQ(test, task_count(&task, 1), 8);

	session_release(table, session);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));

	/* No listener. */
	session = expect_claim(test, table, sk);
	connects(session, 1, 9, 1);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	session_release(table, session);
}

/* A place remembers who had it: nobody may take that for the next one's. */
static void session_test_copy_stale(struct kunit *test)
{
	struct session_table *table = make_table(test, 4);
	const void *sk = next_in_line(table, NULL, 0), *other = sk;
	struct session *session;
	struct life_task task;

	/* Of those that would have the same place. */
	do
		other = next_in_line(table, other, 0);
	while (session_first((unsigned long)other) !=
	       session_first((unsigned long)sk));
	session = expect_claim(test, table, sk);
	listens(session, 1, 1);
	session_release(table, session);
	KUNIT_ASSERT_PTR_EQ(test, expect_claim(test, table, other), session);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, other, &task));
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, sk, &task));
	listens(session, 2, 1);
	KUNIT_EXPECT_TRUE(test, session_copy_task(table, other, &task));
	KUNIT_EXPECT_EQ(test, task_count(&task, 2), 1);

	/* Nor of the same socket, opened by another. */
	session_release(table, session);
	KUNIT_ASSERT_PTR_EQ(test, expect_claim(test, table, other), session);
	KUNIT_EXPECT_FALSE(test, session_copy_task(table, other, &task));
	session_release(table, session);
}

/* The stamp is a small number, and begins again. */
static void session_test_stamp(struct kunit *test)
{
	struct session_table *table = make_table(test, 1);
	const void *sk = (void *)0x1000;
	struct session *session;
	struct life_task task;
	u16 stamp;
	u32 i;

	for (i = 1; i <= 3 * (U16_MAX + 1) / 4; i++) {
		session = session_claim(table, sk);
		KUNIT_ASSERT_NOT_NULL(test, session);
		stamp = session->stamp;
		listens(session, 1, i);
		KUNIT_ASSERT_NE(test, session->stamp, stamp);
		KUNIT_ASSERT_TRUE(test, session->stamp & 1);
		KUNIT_ASSERT_TRUE(test, session_copy_task(table, sk, &task));
		KUNIT_ASSERT_EQ(test, task_count(&task, 1), i);
		stamp = session->stamp;
		session_release(table, session);
		KUNIT_ASSERT_NE(test, session->stamp, stamp);
	}
}

/* Every namespace its own, and no listeners. */
static void session_test_count(struct kunit *test)
{
	/* Enough for session_count() to rest in between. */
	struct session_table *table = make_table(test, 4096);
	const void *sk = (void *)0xffff888000000000UL;
	struct session *session;
	unsigned int i;

	for (i = 0; i < 2000; i++, sk += 2176) {
		session = expect_claim(test, table, sk);
		if (i % 4 == 3)
			listens(session, 1, i);
		else
			connects(session, 1, i, i % 4 + 1);
	}
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 1500);
	KUNIT_EXPECT_EQ(test, session_count(table, 1), 500);
	KUNIT_EXPECT_EQ(test, session_count(table, 2), 500);
	KUNIT_EXPECT_EQ(test, session_count(table, 3), 500);
	KUNIT_EXPECT_EQ(test, session_count(table, 4), 0);

	/* All of view 1, and the listeners. */
	sk = (void *)0xffff888000000000UL;
	for (i = 0; i < 2000; i++, sk += 2176)
		if (i % 4 == 3 || !(i % 4))
			session_release(table, session_find(table, sk));
	KUNIT_EXPECT_EQ(test, session_count(table, 0), 1000);
	KUNIT_EXPECT_EQ(test, session_count(table, 1), 0);
	KUNIT_EXPECT_EQ(test, session_count(table, 2), 500);
	KUNIT_EXPECT_EQ(test, session_count(table, 3), 500);
}

/* Many at once, all in the same lines */

#define OWNERS		3
#define ASKERS		2
#define LISTENERS	2
#define SOCKS_MAX	7
#define ROUNDS		CROWD_ROUNDS(20000)

struct scene;

/**
 * struct owner - one who claims and releases sessions of its own sockets
 * @scene: where
 * @id: its number; of the one who does so in interrupts OWNERS more
 * @complaint: what was wrong first, or NULL
 * @sk: its sockets
 * @held: their sessions
 * @count: which time that is
 * @turn: which one is next
 * @claimed: how often there was a place
 * @refused: how often there was none
 */
struct owner {
	struct scene *scene;
	unsigned int id;
	const char *complaint;
	const void *sk[SOCKS_MAX];
	struct session *held[SOCKS_MAX];
	u32 count[SOCKS_MAX];
	unsigned int turn;
	unsigned int claimed;
	unsigned int refused;
};

/**
 * struct pair - an owner on a thread, and one in interrupts of another processor
 * @thread: the one
 * @irq: the other
 * @cpu: where
 */
struct pair {
	struct owner thread, irq;
	int cpu;
};

/**
 * struct asker - one who asks who opened the listeners
 * @scene: where
 * @complaint: what was wrong first, or NULL
 * @last: for each listener, the last one that was told
 * @told: how often it was told
 * @untold: how often not
 */
struct asker {
	struct scene *scene;
	const char *complaint;
	u32 last[LISTENERS];
	unsigned int told;
	unsigned int untold;
};

struct scene {
	struct session_table *table;
	unsigned int socks;
	struct pair pairs[OWNERS];
	const void *listener[LISTENERS];
	struct asker askers[ASKERS];
	const char *opener_complaint;
	atomic_t working;
};

static void owner_complain(struct owner *owner, const char *complaint)
{
	if (!owner->complaint)
		owner->complaint = complaint;
}

/* The next one's turn: to be claimed, or to be looked after and released. */
static void owner_step(struct owner *owner)
{
	struct session_table *table = owner->scene->table;
	unsigned int i = owner->turn++ % owner->scene->socks;
	const void *sk = owner->sk[i];
	struct session *session;
	struct life_task task;

	if (session_copy_task(table, sk, &task))
		owner_complain(owner, "a session is a listener");
	session = owner->held[i];
	if (session) {
		if (session_find(table, sk) != session)
			owner_complain(owner, "a session was not found");
		if (!is_of(session, owner->id, owner->count[i]))
			owner_complain(owner, "a session was changed");
		owner->held[i] = NULL;
		session_release(table, session);
		if (session_find(table, sk))
			owner_complain(owner, "a session is found after its release");
		return;
	}
	if (session_find(table, sk))
		owner_complain(owner, "a session is found before its claim");
	session = session_claim(table, sk);
	if (!session) {
		owner->refused++;
		return;
	}
	connects(session, owner->id, ++owner->count[i], owner->id + 1);
	owner->held[i] = session;
	owner->claimed++;
	if (session_find(table, sk) != session)
		owner_complain(owner, "a session is not found after its claim");
}

static void owner_interrupt(void *owner)
{
	owner_step(owner);
}

static void owner_release(struct owner *owner)
{
	int i;

	for (i = 0; i < SOCKS_MAX; i++)
		if (owner->held[i])
			session_release(owner->scene->table, owner->held[i]);
}

static void pair_run(void *arg)
{
	struct pair *pair = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		owner_step(&pair->thread);
		if (!(i % 4))
			smp_call_function_single(pair->cpu, owner_interrupt,
						 &pair->irq, true);
		cond_resched();
	}
	owner_release(&pair->thread);
	owner_release(&pair->irq);
	atomic_dec_return_release(&pair->thread.scene->working);
}

/* Closes and opens the listeners in turns, so that they swap their places. */
static void opener_run(void *arg)
{
	struct scene *scene = arg;
	struct session *held[LISTENERS] = {};
	u32 count = 1;
	int i;

	for (; atomic_read(&scene->working); count++) {
		for (i = 0; i < LISTENERS; i++)
			if (held[i])
				session_release(scene->table, held[i]);
		for (i = 0; i < LISTENERS; i++) {
			int k = count & 1 ? i : LISTENERS - 1 - i;

			held[k] = session_claim(scene->table,
						scene->listener[k]);
			if (!held[k])
				continue;
			listens(held[k], k, count);
			if (session_find(scene->table, scene->listener[k]) !=
			    held[k])
				scene->opener_complaint = "a listener is not found";
		}
		cond_resched();
	}
	for (i = 0; i < LISTENERS; i++)
		if (held[i])
			session_release(scene->table, held[i]);
}

static void asker_run(void *arg)
{
	struct asker *asker = arg;
	struct scene *scene = asker->scene;
	struct life_task task;
	unsigned int i;
	u32 count;

	for (i = 0; atomic_read(&scene->working); i = (i + 1) % LISTENERS) {
		if (!session_copy_task(scene->table, scene->listener[i],
				       &task)) {
			asker->untold++;
			cond_resched();
			continue;
		}
		asker->told++;
		count = task_count(&task, i);
		if (!count)
			asker->complaint = "a task is torn or somebody else's";
		else if (count < asker->last[i])
			asker->complaint = "a task is one from before";
		else
			asker->last[i] = count;
		cond_resched();
	}
}

static const struct crowd_case {
	const char *name;
	unsigned int socks;
} crowd_cases[] = {
	{ "room for all", 1 },
	{ "nearly full", 4 },
	{ "too many", SOCKS_MAX },
};

KUNIT_ARRAY_PARAM_DESC(crowd, crowd_cases, name);

static void expect_owner(struct kunit *test, const struct owner *owner)
{
	if (owner->complaint)
		KUNIT_FAIL(test, "owner %u: %s", owner->id, owner->complaint);
	KUNIT_EXPECT_GT(test, owner->claimed, 0);
	/* Far more places than there are sockets. */
	if (owner->scene->socks == 1)
		KUNIT_EXPECT_EQ(test, owner->refused, 0);
	kunit_info(test, "owner %u: %u claims, %u refused", owner->id,
		   owner->claimed, owner->refused);
}

static void session_test_crowd(struct kunit *test)
{
	const struct crowd_case *c = test->param_value;
	struct crowd *crowd = crowd_make(test);
	const void *sk = NULL;
	struct scene *scene;
	unsigned long n;
	int i, j;

	scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, scene);
	scene->table = make_table(test, 64);
	scene->socks = c->socks;
	for (i = 0; i < OWNERS; i++) {
		struct pair *pair = &scene->pairs[i];

		pair->thread.scene = scene;
		pair->irq.scene = scene;
		pair->thread.id = LISTENERS + i;
		pair->irq.id = LISTENERS + OWNERS + i;
		for (j = 0; j < c->socks; j++) {
			sk = next_in_line(scene->table, sk, 5);
			pair->thread.sk[j] = sk;
			sk = next_in_line(scene->table, sk, 5);
			pair->irq.sk[j] = sk;
		}
		pair->cpu = crowd_cpu(i + 1);
		crowd_add(crowd, pair_run, pair);
	}
	for (i = 0; i < LISTENERS; i++) {
		sk = next_in_line(scene->table, sk, 5);
		scene->listener[i] = sk;
	}
	for (i = 0; i < ASKERS; i++) {
		scene->askers[i].scene = scene;
		crowd_add(crowd, asker_run, &scene->askers[i]);
	}
	crowd_add(crowd, opener_run, scene);
	atomic_set(&scene->working, OWNERS);
	crowd_run(test, crowd);

	for (i = 0; i < OWNERS; i++) {
		expect_owner(test, &scene->pairs[i].thread);
		expect_owner(test, &scene->pairs[i].irq);
	}
	KUNIT_EXPECT_PTR_EQ(test, scene->opener_complaint, NULL);
	for (i = 0; i < ASKERS; i++) {
		struct asker *asker = &scene->askers[i];

		if (asker->complaint)
			KUNIT_FAIL(test, "asker %d: %s", i, asker->complaint);
		/* Else it may be that they never find a place. */
		if ((2 * OWNERS * c->socks) + LISTENERS <= REACH)
			KUNIT_EXPECT_GT(test, asker->told, 0);
		kunit_info(test, "%s: asker %d was told %u times, and %u times not",
			   c->name, i, asker->told, asker->untold);
	}
	/* All were released, and nobody's place was lost. */
	KUNIT_EXPECT_EQ(test, session_count(scene->table, 0), 0);
	for (n = 0; n <= scene->table->line_mask; n++)
		for (j = 0; j < SESSION_LINE; j++)
			KUNIT_EXPECT_EQ(test, scene->table->keys[n * SESSION_LINE + j],
					0);
}

static struct kunit_case session_tests[] = {
	KUNIT_CASE(session_test_size),
	KUNIT_CASE(session_test_reuse),
	KUNIT_CASE(session_test_full),
	KUNIT_CASE(session_test_keeps_place),
	KUNIT_CASE(session_test_copy_task),
	KUNIT_CASE(session_test_copy_stale),
	KUNIT_CASE(session_test_stamp),
	KUNIT_CASE(session_test_count),
	KUNIT_CASE_PARAM(session_test_crowd, crowd_gen_params),
	{}
};

struct kunit_suite session_suite = {
	.name = "knetstat_session",
	.test_cases = session_tests,
};
