/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who reads: whose sessions an open file shows, and what of them.
 */
#ifndef KNETSTAT_LIFE_READER_H
#define KNETSTAT_LIFE_READER_H

#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "row.h"
#include "view.h"

/**
 * struct life_reader - the opener of one of tcplife's files
 * @p: the namespace, where seq_file_net() looks for it; so it is first
 * @view: whose sessions it shows
 * @in_init_pid_ns: the procfs it was opened in is of the first PID namespace
 * @pid_ns: and else of which one: life_pid_ns_token()
 * @net_admin: the opener may know which process any session belonged to
 * @euid: who the opener is: it may know that of its own sessions
 * @uid: the owner that was asked for last
 * @shown: what of the row at hand depends on the opener, and what was written last
 *
 * Begins the private data of each such file. Filled in when that is opened, by
 * the opener's rights; never changed after, but for the last two: by whoever
 * reads, under the seq_file's mutex.
 */
struct life_reader {
	struct seq_net_private p;
	struct view *view;
	bool in_init_pid_ns;
	u32 pid_ns;
	bool net_admin;
	kuid_t euid;
	kuid_t uid;
	struct life_shown shown;
};

/* Whether it shows the sessions of all namespaces. */
static inline bool life_reader_of_all(const struct life_reader *reader)
{
	return reader->view == &view_all;
}

void *life_reader_open(struct inode *inode, struct file *filp,
		       const struct seq_operations *ops, size_t size);
struct life_shown *life_reader_shown(struct seq_file *seq,
				     const struct life_row *row);
u64 life_reader_head(const struct life_reader *reader, u64 *recorded);

#endif /* KNETSTAT_LIFE_READER_H */
