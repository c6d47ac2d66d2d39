// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over processes and their descriptors. See walk.h.
 */
#include <linux/bitops.h>
#include <linux/fdtable.h>
#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "walk.h"

/**
 * walk_process() - the next process of a PID namespace
 * @ns: the namespace
 * @nr: the number to begin with; set to that of the process
 *
 * Kernel threads are left out: they have no descriptors.
 *
 * Context: Process context, may sleep.
 * Return: the process's leader, with a reference; NULL after the last one.
 */
struct task_struct *walk_process(struct pid_namespace *ns, int *nr)
{
	struct task_struct *task;
	struct pid *pid;

	for (;; ++*nr) {
		rcu_read_lock();
		pid = idr_get_next(&ns->idr, nr);
		task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (task && (READ_ONCE(task->flags) & PF_KTHREAD))
			task = NULL;
		if (task)
			get_task_struct(task);
		rcu_read_unlock();
		if (task || !pid)
			return task;
		cond_resched();
	}
}

/**
 * walk_thread() - the next thread of a process
 * @leader: the process's leader, to begin with; it is never returned
 * @thread: the previous thread, whose reference is dropped
 *
 * If @thread has ended, its successor is unknown, and the walk starts over. So
 * a caller that loops must bound the loop.
 *
 * Context: Process context.
 * Return: the thread, with a reference; NULL after the last one.
 */
struct task_struct *walk_thread(struct task_struct *leader,
				struct task_struct *thread)
{
	struct task_struct *next = NULL;

	rcu_read_lock();
	if (pid_alive(leader)) {
		next = next_thread(pid_alive(thread) ? thread : leader);
		if (next == leader)
			next = NULL;
		else
			get_task_struct(next);
	}
	rcu_read_unlock();
	put_task_struct(thread);
	return next;
}

/* Looks at the next open descriptors of a table; returns whether it goes on. */
static bool walk_piece(struct files_struct *files, struct walk_place *place,
		       walk_look_t look, void *arg)
{
	struct fdtable *fdt;
	unsigned int fd, end, seen = 0;
	struct file *file;
	bool more;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	end = min(fdt->max_fds, place->next + WALK_SLOTS);
	for (fd = place->next; fd < end; fd++) {
		if (++seen > WALK_FILES)
			break;
		file = rcu_dereference_protected(fdt->fd[fd],
						 lockdep_is_held(&files->file_lock));
		if (!file)
			fd = find_next_bit(fdt->open_fds, end, fd + 1) - 1;
		else if (!look(arg, fd, file))
			break;
	}
	place->next = min(fd, end);
	more = place->next < fdt->max_fds;
	spin_unlock(&files->file_lock);
	return more;
}

/**
 * walk_files() - look at a bounded piece of a task's table of descriptors
 * @task: the task
 * @place: where in the table it is
 * @look: called for each open descriptor, under the locks that walk.h names;
 *	returns false to end the piece; the next one begins with this descriptor
 * @arg: for @look
 *
 * Context: Process context; takes spinlocks.
 * Return: 1 if there is more, 0 at the end of the table (an exiting task has
 * none), or -EAGAIN if the task has a different table now.
 */
int walk_files(struct task_struct *task, struct walk_place *place,
	       walk_look_t look, void *arg)
{
	int more = 0;

	task_lock(task);
	if (task->files) {
		if (!place->files)
			place->files = task->files;
		more = place->files == task->files ?
		       walk_piece(task->files, place, look, arg) : -EAGAIN;
	}
	task_unlock(task);
	return more;
}
