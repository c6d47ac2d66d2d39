// SPDX-License-Identifier: GPL-2.0
/*
 * The table of live sessions. Who may do what is said in session.h.
 */
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "session.h"

/**
 * session_table_init() - make a table
 * @table: the table
 * @sessions: how many sessions it must have room for, a power of two
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int session_table_init(struct session_table *table, unsigned int sessions)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
			  __GFP_RETRY_MAYFAIL;
	size_t places = max_t(size_t, 2 * (size_t)sessions, SESSION_LINE);

	table->line_mask = places / SESSION_LINE - 1;
	table->keys = __vmalloc(array_size(places, sizeof(*table->keys)), gfp);
	table->sessions = __vmalloc(array_size(places,
					       sizeof(*table->sessions)), gfp);
	if (table->keys && table->sessions)
		return 0;
	session_table_exit(table);
	return -ENOMEM;
}

/**
 * session_table_exit() - free a table
 * @table: the table; nobody uses it any more
 *
 * Context: Process context, may sleep.
 */
void session_table_exit(struct session_table *table)
{
	vfree(table->keys);
	vfree(table->sessions);
}

/* The @n-th line that a socket's session may be in. */
static unsigned long *session_line(const struct session_table *table,
				   unsigned long key, unsigned int n)
{
	unsigned long line = hash_long(key, 32) + n;

	return table->keys + (line & table->line_mask) * SESSION_LINE;
}

static struct session *session_at(const struct session_table *table,
				  const unsigned long *key)
{
	return &table->sessions[key - table->keys];
}

/*
 * The place in a line that a socket's session is in if it was free. While others
 * are there, too, most are found at once.
 */
static __always_inline unsigned int session_first(unsigned long key)
{
	return hash_long(key, 32) >> 29;
}

static_assert(SESSION_LINE == 1 << (32 - 29));

static __always_inline unsigned long *session_in_line(unsigned long *line,
						      unsigned long key)
{
	unsigned int i = session_first(key);

	if (likely(READ_ONCE(line[i]) == key))
		return &line[i];
	for (i = 0; i < SESSION_LINE; i++)
		if (READ_ONCE(line[i]) == key)
			return &line[i];
	return NULL;
}

static unsigned long *session_key(const struct session_table *table,
				  const void *sk)
{
	unsigned long *key;
	unsigned int n;

	for (n = 0; n < SESSION_LINES; n++) {
		key = session_in_line(session_line(table, (unsigned long)sk, n),
				      (unsigned long)sk);
		if (key)
			return key;
	}
	return NULL;
}

/**
 * session_find() - the session of a socket
 * @table: the table
 * @sk: the socket's address
 *
 * Context: Any; the socket's lock is held, or nobody else knows it.
 * Return: the session, or NULL where it has none: it is older than the module,
 * or there was no room for it.
 */
struct session *session_find(const struct session_table *table, const void *sk)
{
	const unsigned long *key = session_key(table, sk);

	return key ? session_at(table, key) : NULL;
}

/**
 * session_claim() - begin the session of a socket
 * @table: the table
 * @sk: the socket's address
 *
 * It is the first place that is free, from where it belongs. To be called once for
 * a socket, until its session is released.
 *
 * Context: As session_find().
 * Return: a session whose fields are the caller's to fill in, or NULL where
 * there is no room for it.
 */
struct session *session_claim(struct session_table *table, const void *sk)
{
	unsigned int first = session_first((unsigned long)sk), n, i;
	unsigned long *line, *key;

	for (n = 0; n < SESSION_LINES; n++) {
		line = session_line(table, (unsigned long)sk, n);
		for (i = 0; i < SESSION_LINE; i++) {
			key = &line[(first + i) % SESSION_LINE];
			if (!READ_ONCE(*key) &&
			    !cmpxchg(key, 0UL, (unsigned long)sk))
				return session_at(table, key);
		}
	}
	return NULL;
}

/**
 * session_release() - end a session
 * @table: the table
 * @session: the session; not to be touched any more
 *
 * Context: As session_find().
 */
void session_release(struct session_table *table, struct session *session)
{
	/* Even until whoever claims the place has filled it in. */
	WRITE_ONCE(session->stamp, (session->stamp + 1) & ~1);
	/* Whoever claims the place finds it left: session-claim.litmus. */
	smp_store_release(&table->keys[session - table->sessions], 0UL);
}

/**
 * session_copy_task() - who opened a listener
 * @table: the table
 * @sk: the listener's address
 * @task: where to
 *
 * Context: Any. The listener need not be locked.
 * Return: whether @task is a whole copy.
 */
bool session_copy_task(const struct session_table *table, const void *sk,
		       struct life_task *task)
{
	const unsigned long *key = session_key(table, sk);
	const struct session *session;
	u16 stamp;
	bool listener;

	if (!key)
		return false;
	session = session_at(table, key);
	/* The stamp before the fields: session_write_end()'s release. */
	stamp = smp_load_acquire(&session->stamp);
	/*
	 * A data race if it is being changed; then the stamp says so below, in all
	 * of the ways that session-change.litmus and session-claim.litmus have.
	 */
	data_race(*task = session->task);
	/* And so is this. */
	listener = data_race((bool)session->listener);
	/*
	 * It was the listener's at some moment between the two looks at the
	 * stamp. If that has not changed, neither has the place's owner, and
	 * what was copied was the listener's all the time. To look at the key
	 * last would not do: the place may have been another listener's, and be
	 * this one's again by then.
	 */
	listener &= READ_ONCE(*key) == (unsigned long)sk;
	/* All that before the second look: session_write_begin()'s smp_wmb(). */
	smp_rmb();
	return listener && (stamp & 1) && READ_ONCE(session->stamp) == stamp;
}

/* How often a copy is begun again before it lets others run: maybe who changes it. */
#define SESSION_TRIES	100

/**
 * session_copy() - copy a session
 * @table: the table
 * @place: where it is
 * @key: the address of its socket
 * @copy: where to; as long as the session's stamp is that of the copy, it is the
 *	session that was copied, and has not changed
 *
 * Context: Process context, may sleep. The socket need not be locked.
 * Return: whether @copy is a whole copy; false if the session has ended.
 */
bool session_copy(const struct session_table *table, unsigned long place,
		  unsigned long key, struct session *copy)
{
	const struct session *session = &table->sessions[place];
	unsigned int tries;
	u16 stamp;

	for (tries = 1;; tries++) {
		/* The stamp before the fields: session_write_end()'s release. */
		stamp = smp_load_acquire(&session->stamp);
		/*
		 * A data race if it is being changed; then the stamp says so:
		 * session-change.litmus, session-claim.litmus, session-first.litmus.
		 */
		data_race(*copy = *session);
		if (READ_ONCE(table->keys[place]) != key)
			return false;
		/* All that before the second look: session_write_begin()'s smp_wmb(). */
		smp_rmb();
		if ((stamp & 1) && READ_ONCE(session->stamp) == stamp)
			return true;
		if (tries % SESSION_TRIES)
			cpu_relax();
		else
			schedule_timeout_uninterruptible(1);
	}
}

/**
 * session_count() - how many sessions there are
 * @table: the table
 * @netns: of this namespace; 0 means of all
 *
 * Listeners are in the table for what they know, but are no sessions.
 *
 * Context: Process context, may sleep: it looks at the whole table. What it
 * says was never true at one moment.
 * Return: the number.
 */
unsigned long session_count(const struct session_table *table, u32 netns)
{
	unsigned long places = session_places(table);
	unsigned long i, count = 0;

	for (i = 0; i < places; i++) {
		if (!(i % 4096))
			cond_resched();
		if (!READ_ONCE(table->keys[i]))
			continue;
		/* A data race if it is being claimed: counted or not, both are right. */
		if (data_race((bool)table->sessions[i].listener))
			continue;
		/* And so is this. */
		if (!netns || data_race(table->sessions[i].netns) == netns)
			count++;
	}
	return count;
}
