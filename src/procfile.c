// SPDX-License-Identifier: GPL-2.0
/*
 * What all files in /proc/net/ have in common.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "knetstat.h"
#include "procfile.h"

/**
 * procfile_check() - check that a name in /proc/net is free
 * @name: the name
 *
 * procfs would WARN about a name that is taken, which is no way to tell an
 * administrator that the old knetstat is still loaded. Not -EEXIST, because
 * modprobe takes that for "this module is loaded already", not for an error.
 *
 * Context: Process context, at load; may sleep.
 * Return: 0, or -EBUSY after saying so in the kernel log.
 */
int __init procfile_check(const char *name)
{
	struct path path;
	char file[64];

	snprintf(file, sizeof(file), "/proc/net/%s", name);
	if (kern_path(file, 0, &path))
		return 0;
	path_put(&path);
	pr_err("%s exists already: is another module loaded that makes it, such as an older knetstat?\n",
	       file);
	return -EBUSY;
}

/**
 * procfile_open() - open a file of a namespace as a seq_file
 * @inode: the file's inode
 * @filp: the file
 * @ops: how it is read
 * @size: the size of its private data, which begin with a seq_net_private
 *
 * The file holds the namespace.
 *
 * Context: Process context, may sleep.
 * Return: the private data, cleared but for the namespace; or an ERR_PTR().
 */
void *procfile_open(struct inode *inode, struct file *filp,
		    const struct seq_operations *ops, size_t size)
{
	struct net *net = maybe_get_net(proc_get_parent_data(inode));
	void *private;

	if (!net)
		return ERR_PTR(-ENXIO);
	private = __seq_open_private(filp, ops, size);
	if (!private) {
		put_net(net);
		return ERR_PTR(-ENOMEM);
	}
	seq_net_hold(private, net);
	return private;
}

/**
 * procfile_read() - read a file that procfile_open() opened
 * @iocb: the file and where in it
 * @to: where to
 *
 * Gives it, when it is read for the first time, a buffer that is larger than
 * the page that seq_file would give it, so that a large read is a large read.
 * It is charged to the reader's memory cgroup, and freed with the file. Where
 * there is no memory for it, a page must do.
 *
 * Context: Process context, sleeps.
 * Return: bytes read, 0 at the end, or a negative error.
 */
ssize_t procfile_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct seq_file *seq = iocb->ki_filp->private_data;

	if (unlikely(!READ_ONCE(seq->buf))) {
		mutex_lock(&seq->lock);
		if (!seq->buf) {
			seq->size = PROCFILE_BUFFER;
			seq->buf = kvmalloc(seq->size, GFP_KERNEL_ACCOUNT |
						       __GFP_NOWARN);
		}
		mutex_unlock(&seq->lock);
	}
	return seq_read_iter(iocb, to);
}

/**
 * procfile_release() - close what procfile_open() opened
 * @inode: the file's inode
 * @filp: the file
 *
 * procfs calls it when the file is closed or the module goes, whichever is
 * first, after the last read has returned.
 *
 * Return: 0.
 */
int procfile_release(struct inode *inode, struct file *filp)
{
	struct seq_file *seq = filp->private_data;

	seq_net_put(seq->private);
	return seq_release_private(inode, filp);
}

/**
 * procfile_net_admin() - whether the opener has CAP_NET_ADMIN over the namespace
 * @seq: the file, while it is opened
 *
 * The same check as inet_diag's, but for the opener (current, in open), so that
 * what a descriptor shows does not change when it is passed on. And not
 * audited: lacking the capability is no offence.
 *
 * Context: Process context, in open.
 * Return: whether it has.
 */
bool procfile_net_admin(struct seq_file *seq)
{
	return ns_capable_noaudit(seq_file_net(seq)->user_ns, CAP_NET_ADMIN);
}

/**
 * procfile_of_all() - whether the opener sees what is in all namespaces
 * @seq: the file, while it is opened
 *
 * That is the host's administrator, in the file of the first namespace.
 *
 * Context: Process context, in open.
 * Return: whether it does.
 */
bool procfile_of_all(struct seq_file *seq)
{
	return net_eq(seq_file_net(seq), &init_net) &&
	       ns_capable_noaudit(&init_user_ns, CAP_NET_ADMIN);
}
