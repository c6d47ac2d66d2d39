/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which process: the task that acts on a socket now, and how it is remembered.
 */
#ifndef KNETSTAT_LIFE_TASK_H
#define KNETSTAT_LIFE_TASK_H

#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>

#include "row.h"
#include "session.h"

struct pid_namespace;

/**
 * life_owner_acts() - whether current is a process at work on the probed socket
 *
 * A process acts on its own socket with bottom halves on. They are off in a
 * softirq, in ss -K, and when somebody writes packets to a tun device or busy
 * polls: current does not own the socket then. Nor does a kernel thread, which
 * works for somebody else (a delayed close, an MPTCP subflow).
 *
 * This can't tell a packet that had to wait for a process that has the socket
 * locked: the caller knows those by the error that they leave.
 *
 * Context: Any, in a probe of the socket.
 * Return: whether it is; then life_task_fill() may be called.
 */
static inline bool life_owner_acts(void)
{
	return !in_interrupt() && !(current->flags & PF_KTHREAD);
}

/**
 * life_accepter_acts() - whether current is a process that accepts the probed socket
 *
 * It does that with bottom halves off, for the lock that it has to take.
 *
 * Context: Any, in a probe of the socket.
 * Return: whether it is; then life_task_fill() may be called.
 */
static inline bool life_accepter_acts(void)
{
	return in_task() && !(current->flags & PF_KTHREAD);
}

/**
 * life_task_is() - whether current belongs to a process that is remembered
 * @task: the process
 *
 * Context: As life_task_fill().
 * Return: whether it does, by PID and name.
 */
static inline bool life_task_is(const struct life_task *task)
{
	return task->pid[0] == task_tgid_nr(current) &&
	       /* A data race if prctl() is changing the name: it is one or the other. */
	       !data_race(memcmp(task->comm, current->group_leader->comm,
				 sizeof(task->comm)));
}

void life_task_fill(struct life_task *task);
void life_session_name(struct session *session, enum life_by by);
bool life_task_fill_of(struct life_task *task, struct task_struct *leader);
u32 life_pid_ns_token(const struct pid_namespace *ns);

#endif /* KNETSTAT_LIFE_TASK_H */
