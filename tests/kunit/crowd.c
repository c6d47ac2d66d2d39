// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that run at the same time. See crowd.h.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "crowd.h"

/**
 * crowd_cpu() - the processor of a crowd's member
 * @n: its number, from 0 on
 *
 * Return: the processor.
 */
int crowd_cpu(unsigned int n)
{
	int cpu;

	n %= num_online_cpus();
	for_each_online_cpu(cpu)
		if (!n--)
			return cpu;
	return 0;
}

/**
 * crowd_make() - make an empty crowd
 * @test: the test; the crowd lives as long as it
 *
 * Return: the crowd.
 */
struct crowd *crowd_make(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	init_completion(&crowd->start);
	return crowd;
}

/**
 * crowd_add() - add a function to a crowd
 * @crowd: the crowd
 * @run: the function
 * @arg: what it is passed
 */
void crowd_add(struct crowd *crowd, void (*run)(void *arg), void *arg)
{
	struct crowd_member *member = &crowd->members[crowd->count++];

	member->crowd = crowd;
	member->run = run;
	member->arg = arg;
	init_completion(&member->done);
}

static int crowd_thread(void *data)
{
	struct crowd_member *member = data;

	if (atomic_dec_and_test(&member->crowd->missing))
		complete_all(&member->crowd->start);
	else
		wait_for_completion(&member->crowd->start);
	member->run(member->arg);
	complete(&member->done);
	return 0;
}

/**
 * crowd_run() - run all functions of a crowd, and wait until they have ended
 * @test: the test
 * @crowd: the crowd
 */
void crowd_run(struct kunit *test, struct crowd *crowd)
{
	struct task_struct *task;
	unsigned int made, i;

	atomic_set(&crowd->missing, crowd->count);
	for (made = 0; made < crowd->count; made++) {
		task = kthread_create(crowd_thread, &crowd->members[made],
				      "kunit_crowd/%u", made);
		if (IS_ERR(task))
			break;
		kthread_bind(task, crowd_cpu(made));
		crowd->members[made].task = get_task_struct(task);
	}
	if (made == crowd->count) {
		for (i = 0; i < made; i++)
			wake_up_process(crowd->members[i].task);
		for (i = 0; i < made; i++)
			wait_for_completion(&crowd->members[i].done);
	}
	/* One that was never woken does not run: it is only removed. */
	for (i = 0; i < made; i++) {
		kthread_stop(crowd->members[i].task);
		put_task_struct(crowd->members[i].task);
	}
	KUNIT_ASSERT_EQ(test, made, crowd->count);
}
