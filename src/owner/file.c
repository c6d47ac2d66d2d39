// SPDX-License-Identifier: GPL-2.0
/*
 * The files sockowner and unixowner of each namespace.
 *
 * All is collected when it is opened, by the opener's rights; to read it only
 * writes down what was found. struct owner_file is owned by one open file and
 * touched under its seq_file's mutex, or before anyone else knows it.
 */
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "collect.h"
#include "compat.h"
#include "inet.h"
#include "iter.h"
#include "iter_unix.h"
#include "knetstat.h"
#include "memory.h"
#include "procfile.h"
#include "text.h"
#include "unix.h"
#include "unixtext.h"

/**
 * struct owner_type - one of the files
 * @afinfo: for the iterators, which find it with pde_data(), so it is first: both families
 * @name: the file's name
 * @kind: whose sockets
 * @header: the first line
 * @row_max: what @write may store for a row
 * @write: writes so many rows from a place on; returns where they end
 *
 * Filled in at load, then read only.
 */
struct owner_type {
	union iter_afinfo afinfo;
	const char *name;
	const struct owner_kind *kind;
	const char *header;
	unsigned int row_max;
	char *(*write)(const struct owner_found *found, struct owner_cursor *cursor,
		       unsigned int count, char *p);
};

/**
 * struct owner_file - an open file
 * @iter: the iterator's state; first, since it is what the kernel's iterators
 *	take seq->private for
 * @type: which file
 * @found: what is shown
 * @record: the place of the record that seq_file is at
 * @end: where that ended when it was written
 */
struct owner_file {
	struct iter iter;
	const struct owner_type *type;
	struct owner_found found;
	struct owner_cursor record;
	struct owner_cursor end;
};

static struct owner_type owner_types[] __ro_after_init = {
	{
		.name		= "sockowner",
		.kind		= &owner_inet_kind,
		.header		= owner_header,
		.row_max	= OWNER_ROW_MAX,
		.write		= owner_write,
	}, {
		.name		= "unixowner",
		.kind		= &owner_unix_kind,
		.header		= owner_unix_header,
		.row_max	= OWNER_UNIX_ROW_MAX,
		.write		= owner_unix_write,
	},
};

/*
 * Where Unix sockets are a module of the kernel's or not there at all there is no
 * unixowner: what is borrowed must not go.
 */
#define OWNER_HAS_UNIX	IS_BUILTIN(CONFIG_UNIX)
#define OWNER_TYPES	(ARRAY_SIZE(owner_types) - !OWNER_HAS_UNIX)

/*
 * A record of the seq_file is so many rows: what seq_file does for each record
 * costs as much as to write a row.
 */
#define OWNER_RECORD_ROWS	32

/* Goes to the record at @pos, which is not 0: that is the header. */
static void *owner_record(struct seq_file *seq, loff_t pos)
{
	struct owner_file *file = seq->private;
	unsigned long at = (pos - 1) * OWNER_RECORD_ROWS;
	struct owner_cursor peek;
	struct owner_row row;

	/* As a rule it is the one after the one that was written last. */
	if (file->end.at == at)
		file->record = file->end;
	else if (file->record.at > at)
		file->record = (struct owner_cursor){};
	while (file->record.at < at) {
		if (!owner_next_row(&file->found, &file->record, &row))
			return NULL;
		if (!(file->record.at % 1024))
			cond_resched();
	}
	peek = file->record;
	return owner_next_row(&file->found, &peek, &row) ? file : NULL;
}

static void *owner_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? owner_record(seq, *pos) : SEQ_START_TOKEN;
}

static void *owner_next(struct seq_file *seq, void *v, loff_t *pos)
{
	/* A read of 128 KiB has a thousand rows. */
	cond_resched();
	return owner_record(seq, ++*pos);
}

static void owner_stop(struct seq_file *seq, void *v)
{
	/* Nothing is held. */
}

static int owner_show(struct seq_file *seq, void *v)
{
	struct owner_file *file = seq->private;
	const struct owner_type *type = file->type;
	char *begin, *p;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, type->header);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < OWNER_RECORD_ROWS * type->row_max) {
		seq_commit(seq, -1);
		return 0;
	}
	file->end = file->record;
	p = type->write(&file->found, &file->end, OWNER_RECORD_ROWS, begin);
	seq_commit(seq, p - begin);
	return 0;
}

static const struct seq_operations owner_seq_ops = {
	.start	= owner_start,
	.next	= owner_next,
	.stop	= owner_stop,
	.show	= owner_show,
};

static int owner_open(struct inode *inode, struct file *filp)
{
	struct owner_file *file;
	int err;

	file = procfile_open(inode, filp, &owner_seq_ops, sizeof(*file));
	if (IS_ERR(file))
		return PTR_ERR(file);
	file->type = pde_data(inode);
	err = owner_memory_init(&file->found.memory, filp->f_cred);
	if (!err)
		err = owner_collect(&file->found, filp->private_data,
				    file->type->kind);
	if (err) {
		owner_memory_exit(&file->found.memory);
		procfile_release(inode, filp);
	}
	return err;
}

static int owner_release(struct inode *inode, struct file *filp)
{
	struct seq_file *seq = filp->private_data;
	struct owner_file *file = seq->private;

	owner_found_free(&file->found);
	owner_memory_exit(&file->found.memory);
	return procfile_release(inode, filp);
}

static const struct proc_ops owner_proc_ops = {
	.proc_open	= owner_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= owner_release,
};

static void __net_exit owner_net_exit(struct net *net)
{
	int i;

	for (i = 0; i < OWNER_TYPES; i++)
		remove_proc_entry(owner_types[i].name, net->proc_net);
}

static int __net_init owner_net_init(struct net *net)
{
	int i;

	for (i = 0; i < OWNER_TYPES; i++) {
		if (!proc_create_data(owner_types[i].name, 0444, net->proc_net,
				      &owner_proc_ops, &owner_types[i]))
			goto err_create;
	}
	return 0;

err_create:
	while (i--)
		remove_proc_entry(owner_types[i].name, net->proc_net);
	return -ENOMEM;
}

static struct pernet_operations owner_net_ops = {
	.init = owner_net_init,
	.exit = owner_net_exit,
};

/**
 * owner_init() - make the files in every namespace there is and will be
 *
 * Context: Process context, at load, after iter_init().
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init owner_init(void)
{
	int i, err;

	BUILD_BUG_ON(offsetof(struct owner_type, afinfo));
	BUILD_BUG_ON(offsetof(struct owner_file, iter));

	err = owner_memory_check();
	if (err)
		return err;
	for (i = 0; i < OWNER_TYPES; i++) {
		iter_afinfo_init(&owner_types[i].afinfo, ITER_UDP, AF_UNSPEC);
		err = procfile_check(owner_types[i].name);
		if (err)
			return err;
	}
	err = OWNER_HAS_UNIX ? iter_unix_init() : 0;
	if (err)
		return err;
	err = register_pernet_subsys(&owner_net_ops);
	if (err)
		pr_err("cannot make sockowner and unixowner in /proc/net: error %d\n", err);
	return err;
}

/**
 * owner_exit() - remove the files from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void owner_exit(void)
{
	owner_stop_collecting();
	unregister_pernet_subsys(&owner_net_ops);
}
