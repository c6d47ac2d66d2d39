// SPDX-License-Identifier: GPL-2.0
/*
 * Views: whose sessions a reader of tcplife sees. See view.h.
 */
#include <linux/delay.h>
#include <linux/kmemleak.h>
#include <linux/lockdep.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "view.h"

/* How often those who wait are told to leave, about a millisecond apart. */
#define VIEW_TRIES	100

struct view view_all;

/**
 * struct view_class - what lockdep knows the wait queues by
 * @key: their class
 * @name: its name
 *
 * Not in the module's memory: a queue that is left to its sleepers needs it.
 * Made and freed with the module, or left with such a queue.
 */
static struct view_class {
	struct lock_class_key key;
	char name[16];
} *view_class;

static bool view_left;

/* The files are being taken away from those who have them open. */
static bool view_unloading;

static void view_work(struct work_struct *work)
{
	struct view *view = container_of(to_delayed_work(work), struct view, work);

	wake_up_interruptible_poll(view->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * view_init() - make a view
 * @view: the view
 * @id: its number
 * @netns: its namespace's inode number
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM.
 */
int view_init(struct view *view, u64 id, u32 netns)
{
	view->id = id;
	view->netns = netns;
	view->recorded = 0;
	memset(&view->ports, 0, sizeof(view->ports));
	view->ports.id = id;
	view->polled = false;
	view->closing = false;
	atomic64_set(&view->untracked, 0);
	INIT_DELAYED_WORK(&view->work, view_work);
	view->wait = kmalloc(sizeof(*view->wait), GFP_KERNEL);
	if (!view->wait)
		return -ENOMEM;
	__init_waitqueue_head(view->wait, view_class->name, &view_class->key);
	return 0;
}

static void view_wake_one(struct view *view)
{
	if (likely(!READ_ONCE(view->polled)))
		return;
	/* The queue stays until this ends: see view_pre_exit(), view-exit.litmus. */
	rcu_read_lock();
	/* After view_wake()'s smp_mb(). */
	if (!READ_ONCE(view->closing) && waitqueue_active(view->wait))
		schedule_delayed_work(&view->work, 1);
	rcu_read_unlock();
}

/**
 * view_wake() - a row has been written: wake those who wait for it
 * @view: the view of the row's namespace
 *
 * Left to a worker: a probe may run in any context, and waking takes a lock
 * that sleeps on PREEMPT_RT, and time for each epoll instance that watches the
 * file, of which any user may have many. So there is one wakeup for the
 * sessions of a jiffy. If nobody waits, this costs a barrier and two checks.
 *
 * Context: Any.
 */
void view_wake(struct view *view)
{
	/* The row before the look; view_wait() has the other one: view-wake.litmus. */
	smp_mb();
	view_wake_one(view);
	view_wake_one(&view_all);
}

/**
 * view_wait() - have a reader woken when there is a row
 * @view: its view
 * @filp: the file that it polls
 * @table: what poll gave
 *
 * Context: Process context. The caller looks for rows after this.
 */
void view_wait(struct view *view, struct file *filp, poll_table *table)
{
	WRITE_ONCE(view->polled, true);
	poll_wait(filp, view->wait, table);
	/* On the queue before the look; view_wake() has the other one: view-wake.litmus. */
	smp_mb();
}

/**
 * view_pre_exit() - have nobody woken any more
 * @view: the view; nobody comes to wait any more
 *
 * There must be an RCU grace period between this and view_exit(): see
 * view-exit.litmus and record-leave.litmus. When a
 * namespace ends, the core waits for one between .pre_exit and .exit anyway,
 * once for all namespaces that go together.
 *
 * Context: Process context.
 */
void view_pre_exit(struct view *view)
{
	WRITE_ONCE(view->closing, true);
}

/*
 * Makes all sleepers leave the queue when the module is unloaded.
 *
 * procfs takes open files away from a module without regard to tasks that sleep
 * in poll on them, which still have the address of a wait queue. So they are
 * woken with POLLFREE: epoll, aio and io_uring leave at once, and look at the
 * queue under RCU only; poll and select wake, find a file whose operations have
 * gone, and leave by themselves. Unless they asked for no event that such a
 * file has (poll() for none, select() for exceptions), or are stuck in the poll
 * of another file. Unloading does not wait for those: the queue is left to
 * them. It is a few bytes, and not part of the module.
 *
 * Returns whether all have left.
 */
static bool view_send_away(struct view *view)
{
	int tries;

	/* Nobody comes any more, so an empty queue stays empty. */
	for (tries = 0; waitqueue_active(view->wait); tries++) {
		if (tries == VIEW_TRIES)
			return false;
		__wake_up(view->wait, TASK_NORMAL, 0,
			  poll_to_key((__force __poll_t)~0U));
		usleep_range(500, 2000);
	}
	/* The last one to leave may still hold the queue's lock. */
	spin_lock_irq(&view->wait->lock);
	spin_unlock_irq(&view->wait->lock);
	synchronize_rcu();
	return true;
}

/**
 * view_exit() - unmake a view
 * @view: the view, after view_pre_exit() and a grace period. A socket of the
 *	kernel's own may still end in its namespace, and finds it closing.
 *
 * A namespace ends when no file of it is open, and then nobody can be in its
 * queue: only when the module goes there may be somebody to be sent away. To
 * wait for that at every namespace's end would hold up the one worker that the
 * host has for it.
 *
 * Context: Process context, sleeps.
 */
void view_exit(struct view *view)
{
	if (READ_ONCE(view->polled)) {
		cancel_delayed_work_sync(&view->work);
		if (view_unloading && !view_send_away(view)) {
			/* On purpose: its sleepers have it. */
			kmemleak_not_leak(view->wait);
			kmemleak_not_leak(view_class);
			view_left = true;
			return;
		}
	}
	kfree(view->wait);
}

/**
 * views_init() - make the view of all namespaces, and what all views need
 *
 * Context: Process context, at load.
 * Return: 0, or -ENOMEM.
 */
int views_init(void)
{
	int err;

	view_class = kzalloc(sizeof(*view_class), GFP_KERNEL);
	if (!view_class)
		return -ENOMEM;
	strscpy(view_class->name, "knetstat view", sizeof(view_class->name));
	lockdep_register_key(&view_class->key);
	err = view_init(&view_all, 0, 0);
	if (err)
		views_exit();
	return err;
}

/**
 * views_unload() - from here on views end because the module goes
 *
 * Context: Process context, when the probes and the files have gone.
 */
void views_unload(void)
{
	view_unloading = true;
	view_pre_exit(&view_all);
}

/**
 * views_exit() - unmake what views_init() made
 *
 * Context: Process context, when the views of all namespaces have been unmade.
 */
void views_exit(void)
{
	/* No probe is left that could wake anybody: no grace period is needed. */
	if (view_all.wait)
		view_exit(&view_all);
	if (view_left)
		return;
	lockdep_unregister_key(&view_class->key);
	kfree(view_class);
}
