// SPDX-License-Identifier: GPL-2.0
/*
 * Views: whose sessions a reader of tcplife sees. See view.h.
 */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>

#include "view.h"

struct view view_all;

static void view_work(struct irq_work *work)
{
	struct view *view = container_of(work, struct view, work);

	wake_up_interruptible_poll(&view->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * view_init() - make a view
 * @view: the view
 * @id: its number
 */
void view_init(struct view *view, u64 id)
{
	view->id = id;
	view->recorded = 0;
	atomic64_set(&view->untracked, 0);
	init_waitqueue_head(&view->wait);
	init_irq_work(&view->work, view_work);
}

static void view_wake_one(struct view *view)
{
	if (waitqueue_active(&view->wait))
		irq_work_queue(&view->work);
}

/**
 * view_wake() - a row has been written: wake those who wait for it
 * @view: the view of the row's namespace
 *
 * An interrupt does it: a probe may be anywhere, and to wake takes a lock that
 * sleeps on PREEMPT_RT. Where nobody waits, it costs a barrier and two looks.
 *
 * Context: Any.
 */
void view_wake(struct view *view)
{
	/* The row before the look; life_poll() has the other one. */
	smp_mb();
	view_wake_one(view);
	view_wake_one(&view_all);
}

/**
 * view_drain() - send away those who wait, for good
 * @view: the view; nothing wakes it and nobody comes to wait any more
 *
 * procfs takes an open file away from a module without asking those who sleep
 * in poll on it, and they are left with the address of a wait queue. So they
 * are sent away: epoll, aio and io_uring leave at the word POLLFREE, and then
 * look at the queue under RCU only; poll and select wake, find a file whose
 * operations have gone, and leave by themselves.
 *
 * Context: Process context, sleeps until all have left.
 */
void view_drain(struct view *view)
{
	bool waiting = waitqueue_active(&view->wait);

	irq_work_sync(&view->work);
	while (waitqueue_active(&view->wait)) {
		__wake_up(&view->wait, TASK_NORMAL, 0,
			  poll_to_key(EPOLLHUP | POLLFREE));
		msleep(1);
	}
	/* The last one to leave may hold the queue's lock yet. */
	spin_lock_irq(&view->wait.lock);
	spin_unlock_irq(&view->wait.lock);
	if (waiting)
		synchronize_rcu();
}
