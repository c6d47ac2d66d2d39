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

static void life_task_fill_pid(struct life_task *task, const struct pid *pid)
{
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
}

/**
 * life_task_fill() - remember the process that current belongs to
 * @task: where
 *
 * Context: Any where life_owner_acts() or life_accepter_acts().
 */
void life_task_fill(struct life_task *task)
{
	/* One's own PID stays what it is as long as one runs. */
	life_task_fill_pid(task, task_tgid(current));
	/* The process's name, not the thread's; a data race if prctl() is changing it. */
	data_race(memcpy(task->comm, current->group_leader->comm, sizeof(task->comm)));
}

/**
 * life_session_name() - the process that current belongs to is a session's
 * @session: the session
 * @by: how that is known
 *
 * Context: As life_task_fill(); and what session_find() asks for.
 */
void life_session_name(struct session *session, enum life_by by)
{
	session_write_begin(session);
	life_task_fill(&session->task);
	session->by = by;
	session_write_end(session);
}

/**
 * life_task_fill_of() - remember a process
 * @task: where
 * @leader: its first thread, which the caller has a reference to
 *
 * Context: Process context.
 * Return: false if it has ended.
 */
bool life_task_fill_of(struct life_task *task, struct task_struct *leader)
{
	const struct pid *pid;

	rcu_read_lock();
	pid = task_tgid(leader);
	if (pid)
		life_task_fill_pid(task, pid);
	rcu_read_unlock();
	/* A data race if prctl() is changing it. */
	data_race(memcpy(task->comm, leader->comm, sizeof(task->comm)));
	return pid;
}
