/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all files in /proc/net/ have in common.
 */
#ifndef KNETSTAT_PROCFILE_H
#define KNETSTAT_PROCFILE_H

#include <linux/fs.h>
#include <linux/seq_file.h>

/* The buffer of a file that is read: as much as one read(2) gets. */
#define PROCFILE_BUFFER	(128 * 1024)

int procfile_check(const char *name);
void *procfile_open(struct inode *inode, struct file *filp,
		    const struct seq_operations *ops, size_t size);
ssize_t procfile_read(struct kiocb *iocb, struct iov_iter *to);
int procfile_release(struct inode *inode, struct file *filp);
bool procfile_net_admin(struct seq_file *seq);
bool procfile_of_all(struct seq_file *seq);

#endif /* KNETSTAT_PROCFILE_H */
