// SPDX-License-Identifier: GPL-2.0
/*
 * Which process. See task.h.
 */
#include <linux/hash.h>
#include <linux/idr.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "task.h"

/**
 * life_pid_ns_token() - a number to know a PID namespace by when it is gone
 * @ns: the namespace
 *
 * The inode number alone will not do: the next namespace gets it at once, and
 * one container would be shown the PIDs of another as its own. So it is mixed
 * with the time when the namespace's first process was made.
 *
 * Context: RCU read-side critical section.
 * Return: the number.
 */
u32 life_pid_ns_token(const struct pid_namespace *ns)
{
	/* Not child_reaper, which still points there when that has gone. */
	struct pid *pid = idr_find(&ns->idr, 1);
	const struct task_struct *init =
		pid ? pid_task(pid, PIDTYPE_TGID) : NULL;

	return hash_64((init ? READ_ONCE(init->start_time) : 0) ^
		       (u64)ns->ns.inum << 32, 32);
}

/**
 * life_task_fill() - remember the process that current belongs to
 * @task: where
 *
 * Context: Any where life_owner_acts().
 */
void life_task_fill(struct life_task *task)
{
	/* One's own, which stays as it is as long as one runs. */
	const struct pid *pid = task_tgid(current);
	unsigned int level = pid->level;

	task->pid[0] = pid->numbers[0].nr;
	if (likely(!level)) {
		task->pid[1] = 0;
		task->pid[2] = 0;
	} else {
		rcu_read_lock();
		task->pid[1] = pid->numbers[level].nr;
		task->pid_ns[0] = life_pid_ns_token(pid->numbers[level].ns);
		task->pid[2] = pid->numbers[level - 1].nr;
		task->pid_ns[1] = life_pid_ns_token(pid->numbers[level - 1].ns);
		rcu_read_unlock();
	}
	/* The process's name, not the thread's; prctl() may be changing it. */
	memcpy(task->comm, current->group_leader->comm, sizeof(task->comm));
}
