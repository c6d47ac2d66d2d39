// SPDX-License-Identifier: GPL-2.0
/*
 * The file sockowner of each namespace.
 *
 * All is collected when it is opened, by the opener's rights; to read it only
 * writes down what was found. struct owner_file is owned by one open file and
 * touched under its seq_file's mutex, or before anyone else knows it.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "iter.h"
#include "knetstat.h"
#include "collect.h"
#include "procfile.h"
#include "text.h"

/**
 * struct owner_file - an open sockowner
 * @iter: the iterator's state; first, since it is what the kernel's iterators
 *	take seq->private for
 * @rows: what is shown
 * @at: the first row of the record that seq_file is at
 * @chunk: where the row that was asked for last is
 * @chunk_at: how many rows come before that chunk
 */
struct owner_file {
	struct iter iter;
	struct owner_rows rows;
	unsigned long at;
	const struct owner_chunk *chunk;
	unsigned long chunk_at;
};

/* What the iterators look for in the file's data: both families. */
static union iter_afinfo owner_afinfo __ro_after_init;

/*
 * A record of the seq_file is so many rows: what seq_file does for each record
 * costs as much as to write a row.
 */
#define OWNER_RECORD_ROWS	32

/* Finds the row at @at, or at the end nothing: NULL. */
static const struct owner_row *owner_row(struct owner_file *file,
					 unsigned long at)
{
	if (at >= file->rows.count)
		return NULL;
	/* As a rule it is in the chunk of the one before, or in the next. */
	if (!file->chunk || at < file->chunk_at) {
		file->chunk = list_first_entry(&file->rows.chunks,
					       struct owner_chunk, list);
		file->chunk_at = 0;
	}
	while (at - file->chunk_at >= file->chunk->count) {
		file->chunk_at += file->chunk->count;
		file->chunk = list_next_entry(file->chunk, list);
	}
	return &file->chunk->rows[at - file->chunk_at];
}

/* The record at @pos, which is not 0: that is the header. */
static void *owner_record(struct seq_file *seq, loff_t pos)
{
	struct owner_file *file = seq->private;

	file->at = (pos - 1) * OWNER_RECORD_ROWS;
	return file->at < file->rows.count ? file : NULL;
}

static void *owner_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? owner_record(seq, *pos) : SEQ_START_TOKEN;
}

static void *owner_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return owner_record(seq, ++*pos);
}

static void owner_stop(struct seq_file *seq, void *v)
{
	/* Nothing is held. */
}

static int owner_show(struct seq_file *seq, void *v)
{
	struct owner_file *file = seq->private;
	struct owner_writer writer = {};
	const struct owner_row *row;
	char *begin, *p;
	unsigned int n;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, owner_header);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < OWNER_RECORD_ROWS * OWNER_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	p = begin;
	for (n = 0; n < OWNER_RECORD_ROWS; n++) {
		row = owner_row(file, file->at + n);
		if (!row)
			break;
		p = owner_row_write(&writer, p, row);
	}
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
	err = owner_collect(&file->rows, filp->private_data);
	if (err)
		procfile_release(inode, filp);
	return err;
}

static int owner_release(struct inode *inode, struct file *filp)
{
	struct seq_file *seq = filp->private_data;
	struct owner_file *file = seq->private;

	owner_rows_free(&file->rows);
	return procfile_release(inode, filp);
}

static const struct proc_ops owner_proc_ops = {
	.proc_open	= owner_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= owner_release,
};

static int __net_init owner_net_init(struct net *net)
{
	return proc_create_data("sockowner", 0444, net->proc_net,
				&owner_proc_ops, &owner_afinfo) ? 0 : -ENOMEM;
}

static void __net_exit owner_net_exit(struct net *net)
{
	remove_proc_entry("sockowner", net->proc_net);
}

static struct pernet_operations owner_net_ops = {
	.init = owner_net_init,
	.exit = owner_net_exit,
};

/**
 * owner_init() - make the file in every namespace there is and will be
 *
 * Context: Process context, at load, after iter_init().
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init owner_init(void)
{
	int err;

	BUILD_BUG_ON(offsetof(struct owner_file, iter));

	iter_afinfo_init(&owner_afinfo, ITER_UDP, AF_UNSPEC);
	err = procfile_check("sockowner");
	if (err)
		return err;
	err = register_pernet_subsys(&owner_net_ops);
	if (err)
		pr_err("cannot make sockowner in /proc/net: error %d\n", err);
	return err;
}

/**
 * owner_exit() - remove the file from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void owner_exit(void)
{
	unregister_pernet_subsys(&owner_net_ops);
}
