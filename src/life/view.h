/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Views: whose sessions a reader of tcplife sees.
 */
#ifndef KNETSTAT_LIFE_VIEW_H
#define KNETSTAT_LIFE_VIEW_H

#include <linux/atomic.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ports.h"

/**
 * struct view - counters and waiters for a namespace's rows, or for all rows
 * @id: by which rows name a namespace's view, never reused; 0 for the view of
 *	all namespaces
 * @netns: the namespace's inode number, for sessions; 0 for the view of all
 * @recorded: rows written for it, under the ring's lock; the rows of all
 *	namespaces are counted by the ring's head instead
 * @ports: its part in the counters of ports
 * @untracked: sessions that the table had no room for
 * @polled: there has been a reader in poll, and @wait is looked at
 * @closing: nobody may be woken any more; never cleared
 * @wait: readers asleep in poll; separate, as view_exit() may have to leave it
 * @work: wakes them, since a probe must not
 *
 * The view of all namespaces lives as long as the module. Each namespace's own
 * is in its pernet memory, which is there for as long as there can be sockets
 * of it. Sleepers have the file open, which holds the namespace.
 */
struct view {
	u64 id;
	u32 netns;
	u64 recorded;
	struct ports_view ports;
	atomic64_t untracked;
	bool polled;
	bool closing;
	wait_queue_head_t *wait;
	struct delayed_work work;
};

extern struct view view_all;

int views_init(void);
void views_unload(void);
void views_exit(void);
int view_init(struct view *view, u64 id, u32 netns);
void view_pre_exit(struct view *view);
void view_exit(struct view *view);
void view_wait(struct view *view, struct file *filp, poll_table *table);
void view_wake(struct view *view);

#endif /* KNETSTAT_LIFE_VIEW_H */
