/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which process: the task that acts on a socket now, and how it is remembered.
 */
#ifndef KNETSTAT_LIFE_TASK_H
#define KNETSTAT_LIFE_TASK_H

#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "row.h"

struct pid_namespace;

/**
 * life_owner_acts() - whether current is a process at work on the probed socket
 *
 * A process that acts on its socket does it with bottom halves on. They are off
 * in a softirq, in ss -K, and when somebody writes packets to a tun device or
 * polls a busy socket: none of them is the socket's. Nor is a kernel thread: the
 * work that it does is somebody else's (a delayed close, a path of MPTCP).
 *
 * What it can't tell is a packet that had to wait for a process that has the
 * socket locked: the caller knows those by the error that they leave.
 *
 * Context: Any, in a probe of the socket.
 * Return: whether it is; then life_task_fill() may be called.
 */
static inline bool life_owner_acts(void)
{
	return !in_interrupt() && !(current->flags & PF_KTHREAD);
}

void life_task_fill(struct life_task *task);
u32 life_pid_ns_token(const struct pid_namespace *ns);

#endif /* KNETSTAT_LIFE_TASK_H */
