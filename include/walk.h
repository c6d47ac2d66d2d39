/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walk over processes, their threads, and their descriptors.
 *
 * Contexts and locks. All of it is process context and may sleep, but for what
 * looks at a descriptor, which is called under, in this order
 *
 *	task_lock(task)		exit, exec and unshare() take it to give up the
 *				task's table, which stays while we hold it
 *	  files->file_lock	who closes a descriptor takes it to take the file
 *				out of the table, which holds the file, which
 *				holds the socket
 *
 * as update_classid_sock() has it, too. Nothing may be allocated, looked up or
 * waited for there. Both are held for WALK_SLOTS slots or WALK_FILES files at
 * most, whatever the size of the table: any user can have one of fs.nr_open.
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
