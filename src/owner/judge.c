// SPDX-License-Identifier: GPL-2.0
/*
 * Who may know which process holds a socket: those who may look at its
 * descriptors in /proc.
 *
 * The rules of that (ptrace, LSMs, hidepid, dumpable or not) are not repeated
 * here: procfs is asked, in the mount that the file is opened in, by the opener's
 * credentials, which are current's.
 *
 * Its directories are looked up one by one, not by path. A path lookup leaves
 * its names in the opener's audit context: if a rule matches the open, that
 * makes thousands of records for one open(), and lines in the kernel's log. It
 * also follows links, which add to those of open()'s own walk to our file, and
 * mounts: what the opener may have mounted over a process's directory says
 * nothing about the process.
 */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mount.h>

#include "compat.h"
#include "judge.h"

/* What a directory has by that name, as the opener may find it; or an ERR_PTR(). */
static struct dentry *judge_find(struct dentry *dir, const char *name)
{
	struct dentry *found;

	if (!d_can_lookup(dir))
		return ERR_PTR(-ENOTDIR);
	found = lookup_in_directory(dir, name);
	if (!IS_ERR(found) && d_is_negative(found)) {
		dput(found);
		return ERR_PTR(-ENOENT);
	}
	return found;
}

/* Whether the opener may search a process's fd: looks up a name never there. */
static int judge_enter(struct dentry *process)
{
	struct dentry *fd = judge_find(process, "fd"), *nothing;

	if (IS_ERR(fd))
		return PTR_ERR(fd);
	nothing = judge_find(fd, "-");
	dput(fd);
	if (!IS_ERR(nothing)) {
		dput(nothing);
		return 0;
	}
	return PTR_ERR(nothing) == -ENOENT ? 0 : PTR_ERR(nothing);
}

/*
 * Whether the opener may read where the descriptors lead. procfs checks that by
 * ptrace_may_access(), which is not exported and asks all LSMs. Any link with
 * the same check will do, better one that no close() can remove: "root". It is
 * read like readlink() does, but into a buffer of 0 bytes.
 */
static int judge_read(struct dentry *process)
{
	struct dentry *root = judge_find(process, "root");
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);
	err = vfs_readlink(root, NULL, 0);
	dput(root);
	/* A root that is too deep for a name was found, and so may be seen. */
	return err == -ENAMETOOLONG ? 0 : min(err, 0);
}

/* 0 if the opener could list the descriptors of a task; or a negative error. */
static int judge(struct dentry *proc, bool may_ptrace, const char *tid)
{
	struct dentry *process = judge_find(proc, tid);
	int err = 0;

	if (IS_ERR(process))
		return PTR_ERR(process);
	if (!may_ptrace)
		err = judge_enter(process);
	if (!err)
		err = judge_read(process);
	dput(process);
	return err;
}

/**
 * owner_may_see() - whether the opener could list the descriptors of a task
 * @seq: the file that is being opened
 * @may_ptrace: the opener has CAP_SYS_PTRACE in the initial user namespace, and
 *	so need not be able to enter the directory: there are other ways to get
 *	at the descriptors
 * @tid: the task, as the mount's PID namespace knows it
 *
 * Context: Process context, sleeps.
 * Return: 1, 0, or -ENOMEM.
 */
int owner_may_see(struct seq_file *seq, bool may_ptrace, pid_t tid)
{
	struct dentry *proc = seq->file->f_path.mnt->mnt_root;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "%d", tid);
	err = judge(proc, may_ptrace, name);
	/*
	 * procfs, when it has no memory for an inode, says that there is nothing of
	 * that name. So a second answer counts.
	 */
	if (err == -ENOENT)
		err = judge(proc, may_ptrace, name);
	return err == -ENOMEM ? err : !err;
}
