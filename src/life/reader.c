// SPDX-License-Identifier: GPL-2.0
/*
 * Who reads. See reader.h.
 */
#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "procfile.h"
#include "reader.h"
#include "record.h"
#include "task.h"

/**
 * life_reader_open() - open one of tcplife's files
 * @inode: the file's inode
 * @filp: the file
 * @ops: how it is read
 * @size: the size of its private data, which begin with a struct life_reader
 *
 * Context: Process context, may sleep.
 * Return: the private data, cleared but for the reader; or an ERR_PTR().
 */
void *life_reader_open(struct inode *inode, struct file *filp,
		       const struct seq_operations *ops, size_t size)
{
	struct life_reader *reader = procfile_open(inode, filp, ops, size);
	const struct pid_namespace *pid_ns;

	if (IS_ERR(reader))
		return reader;
	pid_ns = proc_pid_ns(inode->i_sb);
	reader->in_init_pid_ns = pid_ns == &init_pid_ns;
	rcu_read_lock();
	reader->pid_ns = life_pid_ns_token(pid_ns);
	rcu_read_unlock();
	reader->euid = current_euid();
	/* No row's: so it is asked for at the first one. */
	reader->uid = INVALID_UID;
	reader->net_admin = procfile_net_admin(filp->private_data);
	reader->view = procfile_of_all(filp->private_data) ?
		       &view_all : view_of(seq_file_net(filp->private_data));
	return reader;
}

/* The PID that a reader knows a session's process by; 0 if it may not know it. */
static u32 life_reader_pid(const struct life_reader *reader,
			   const struct life_row *row)
{
	const struct life_task *task = &row->task;
	unsigned int i;

	if (row->by == LIFE_BY_NONE ||
	    (!reader->net_admin && !uid_eq(row->uid, reader->euid)))
		return 0;
	if (reader->in_init_pid_ns)
		return task->pid[0];
	for (i = 1; i < LIFE_PID_LEVELS; i++)
		if (task->pid[i] && task->pid_ns[i - 1] == reader->pid_ns)
			return task->pid[i];
	return 0;
}

/**
 * life_reader_shown() - what of a session depends on its reader
 * @seq: the file
 * @row: the session
 *
 * Context: Process context, in show().
 * Return: it, but for the number that the row has for the reader.
 */
struct life_shown *life_reader_shown(struct seq_file *seq,
				     const struct life_row *row)
{
	struct life_reader *reader = seq->private;

	if (!uid_eq(row->uid, reader->uid)) {
		reader->uid = row->uid;
		reader->shown.uid = from_kuid_munged(seq_user_ns(seq), row->uid);
	}
	reader->shown.pid = life_reader_pid(reader, row);
	return &reader->shown;
}

/**
 * life_reader_head() - where the ring ends now
 * @reader: the reader
 * @recorded: set to how many rows there have been in its view
 *
 * Context: Process context.
 * Return: the number that the ring's next row gets.
 */
u64 life_reader_head(const struct life_reader *reader, u64 *recorded)
{
	return ring_head(&life_ring,
			 life_reader_of_all(reader) ? NULL :
						      &reader->view->recorded,
			 recorded);
}
