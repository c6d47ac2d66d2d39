/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walk over processes, their threads, and their descriptors.
 *
 * Contexts and locks. Everything runs in process context and may sleep, except
 * for walk_look_t, which is called with these locks held, taken in this order
 *
 *	task_lock(task)		exit, exec and unshare() take it to drop the
 *				task's table, which stays while we hold it
 *	  files->file_lock	closing a descriptor takes it to remove the file
 *				from the table; the table holds the file, which
 *				holds the socket
 *
 * as in update_classid_sock(). Do not allocate, look up or wait for anything
 * under them. They are held for at most WALK_SLOTS slots or WALK_FILES files,
 * whatever the size of the table: any user can have one of fs.nr_open.
 */
#ifndef KNETSTAT_WALK_H
#define KNETSTAT_WALK_H

#include <linux/fs.h>
#include <linux/sched.h>

struct pid_namespace;

/* Slots that are passed over, and looked at, before the locks are dropped. */
#define WALK_SLOTS	16384
#define WALK_FILES	1024

/**
 * struct walk_place - where in a table of descriptors the walk is
 * @files: the table, only to be compared; NULL before the first look
 * @next: the descriptor to go on with
 *
 * Begins as all zeros.
 */
struct walk_place {
	const struct files_struct *files;
	unsigned int next;
};

typedef bool (*walk_look_t)(void *arg, unsigned int fd, struct file *file);

struct task_struct *walk_process(struct pid_namespace *ns, int *nr);
struct task_struct *walk_thread(struct task_struct *leader,
				struct task_struct *thread);
int walk_files(struct task_struct *task, struct walk_place *place,
	       walk_look_t look, void *arg);

#endif /* KNETSTAT_WALK_H */
