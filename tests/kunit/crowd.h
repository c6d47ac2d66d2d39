/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crowd: functions that run at the same time, each on a thread of its own,
 * which are spread over all processors.
 *
 * A test that runs in such a thread must not assert: it leaves its findings
 * for the one who called crowd_run().
 */
#ifndef KNETSTAT_KUNIT_CROWD_H
#define KNETSTAT_KUNIT_CROWD_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kconfig.h>
#include <linux/sched.h>

#define CROWD_MAX	8

/* How often a member does what it does: less often where KCSAN has accesses wait. */
#define CROWD_ROUNDS(n)	(IS_ENABLED(CONFIG_KCSAN) ? (n) / 8 : (n))

struct crowd;

/**
 * struct crowd_member - a function of a crowd
 * @crowd: the crowd
 * @run: the function
 * @arg: what it is passed
 * @task: the thread
 * @done: it has run
 */
struct crowd_member {
	struct crowd *crowd;
	void (*run)(void *arg);
	void *arg;
	struct task_struct *task;
	struct completion done;
};

/**
 * struct crowd - functions that run at the same time
 * @missing: threads that have not come to the start
 * @start: all have
 * @members: the functions
 * @count: how many
 */
struct crowd {
	atomic_t missing;
	struct completion start;
	struct crowd_member members[CROWD_MAX];
	unsigned int count;
};

struct crowd *crowd_make(struct kunit *test);
void crowd_add(struct crowd *crowd, void (*run)(void *arg), void *arg);
void crowd_run(struct kunit *test, struct crowd *crowd);
int crowd_cpu(unsigned int n);

#endif /* KNETSTAT_KUNIT_CROWD_H */
