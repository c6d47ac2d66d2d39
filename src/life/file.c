// SPDX-License-Identifier: GPL-2.0
/*
 * The file tcplife of each namespace.
 *
 * A reader is at a place in the ring, which is a number: a row that has been
 * overwritten before it came there is a gap in SEQ. A pass goes to the newest
 * row there was when it began, so that cat(1) ends; the read after the one that
 * returned 0 begins another pass, from there.
 *
 * struct life_file is owned by one open file and touched under its seq_file's
 * mutex, but for @seen, which poll looks at, and @in_pass, which a read clears
 * when it has returned 0: a stale look at either is as if that had been earlier.
 */
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

#include "file.h"
#include "procfile.h"
#include "reader.h"
#include "record.h"

/**
 * struct life_file - an open tcplife
 * @reader: whose rows it shows, and what of them
 * @in_pass: a pass has begun
 * @limit: where the pass ends
 * @limit_recorded: the rows that the view had when it began
 * @seen: the rows of the view that are no news for poll
 * @row_seq: its number in the ring
 * @row: the row that was found last
 */
struct life_file {
	struct life_reader reader;
	bool in_pass;
	u64 limit;
	u64 limit_recorded;
	u64 seen;
	u64 row_seq;
	struct life_row row;
};

static void life_begin_pass(struct life_file *file)
{
	file->limit = life_reader_head(&file->reader, &file->limit_recorded);
	/* All of it is news for poll until the end is reached. */
	WRITE_ONCE(file->seen, U64_MAX);
	WRITE_ONCE(file->in_pass, true);
}

/* Finds the first row from *pos on that is the reader's; sets *pos to it. */
static void *life_find(struct life_file *file, loff_t *pos)
{
	u64 n = *pos;

	while (n < file->limit) {
		if (!(n % 1024))
			cond_resched();
		if (ring_read(&life_ring, n, &file->row)) {
			if (life_reader_of_all(&file->reader) ||
			    file->row.view_id == file->reader.view->id) {
				file->row_seq = n;
				*pos = n;
				return file;
			}
			n++;
		} else {
			/* Overwritten: go to where the ring begins now. */
			n = max(n + 1, ring_tail(&life_ring,
						 READ_ONCE(life_ring.head)));
		}
	}
	*pos = max_t(u64, n, file->limit);
	WRITE_ONCE(file->seen, file->limit_recorded);
	return NULL;
}

static void *life_start(struct seq_file *seq, loff_t *pos)
{
	struct life_file *file = seq->private;

	if (!*pos) {
		life_begin_pass(file);
		return SEQ_START_TOKEN;
	}
	if (!READ_ONCE(file->in_pass))
		life_begin_pass(file);
	return life_find(file, pos);
}

static void *life_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return life_find(seq->private, pos);
}

static void life_stop(struct seq_file *seq, void *v)
{
	/* Nothing is held. */
}

static int life_show(struct seq_file *seq, void *v)
{
	const struct life_file *file = seq->private;
	const struct life_row *row = &file->row;
	const struct life_shown shown = {
		.seq = life_reader_of_all(&file->reader) ? file->row_seq :
							   row->view_seq,
		.pid = life_reader_pid(&file->reader, row),
		.uid = from_kuid_munged(seq_user_ns(seq), row->uid),
	};
	char *begin;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, life_row_header);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < LIFE_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	seq_commit(seq, life_row_write(begin, row, &shown) - begin);
	return 0;
}

static const struct seq_operations life_seq_ops = {
	.start	= life_start,
	.next	= life_next,
	.stop	= life_stop,
	.show	= life_show,
};

static int life_open(struct inode *inode, struct file *filp)
{
	return PTR_ERR_OR_ZERO(life_reader_open(inode, filp, &life_seq_ops,
						sizeof(struct life_file)));
}

/*
 * A pass ends with the read that returns 0. That is for here to see: seq_file
 * asks for more in the same read that returns the last rows.
 */
static ssize_t life_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct seq_file *seq = iocb->ki_filp->private_data;
	struct life_file *file = seq->private;
	ssize_t n = procfile_read(iocb, to);

	if (!n && iov_iter_count(to))
		WRITE_ONCE(file->in_pass, false);
	return n;
}

static __poll_t life_poll(struct file *filp, poll_table *wait)
{
	struct seq_file *seq = filp->private_data;
	struct life_file *file = seq->private;
	u64 recorded;

	view_wait(file->reader.view, filp, wait);
	/* Not life_reader_head(): anybody may poll, and its lock is the writers'. */
	recorded = life_reader_of_all(&file->reader) ?
		   READ_ONCE(life_ring.head) - 1 :
		   READ_ONCE(file->reader.view->recorded);
	if (recorded != READ_ONCE(file->seen) || !READ_ONCE(seq->index) ||
	    READ_ONCE(seq->count))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

/*
 * Goes behind the newest row. It is not known how many bytes that is: the offset
 * stays where it was, but not at 0, where the first row is.
 */
static loff_t life_seek_newest(struct file *filp)
{
	struct seq_file *seq = filp->private_data;
	struct life_file *file = seq->private;
	u64 recorded;
	loff_t offset;

	mutex_lock(&seq->lock);
	seq->index = life_reader_head(&file->reader, &recorded);
	seq->count = 0;
	seq->from = 0;
	WRITE_ONCE(file->in_pass, false);
	WRITE_ONCE(file->seen, recorded);
	offset = max_t(loff_t, filp->f_pos, 1);
	filp->f_pos = offset;
	seq->read_pos = offset;
	mutex_unlock(&seq->lock);
	return offset;
}

/*
 * SEEK_HOLE is the way to the newest row: the data end there. It can't be
 * SEEK_END: who seeks there (tail, tac) means to read backwards, and falls back
 * to reading forwards where that fails, as on any seq_file.
 */
static loff_t life_lseek(struct file *filp, loff_t offset, int whence)
{
	if (whence == SEEK_HOLE)
		return offset < 0 ? -ENXIO : life_seek_newest(filp);
	return seq_lseek(filp, offset, whence);
}

static const struct proc_ops life_proc_ops = {
	.proc_open	= life_open,
	.proc_read_iter	= life_read,
	.proc_lseek	= life_lseek,
	.proc_release	= procfile_release,
	.proc_poll	= life_poll,
};

static int __net_init life_net_init(struct net *net)
{
	return proc_create("tcplife", 0444, net->proc_net,
			   &life_proc_ops) ? 0 : -ENOMEM;
}

static void __net_exit life_net_exit(struct net *net)
{
	remove_proc_entry("tcplife", net->proc_net);
}

static struct pernet_operations life_net_ops = {
	.init = life_net_init,
	.exit = life_net_exit,
};

/**
 * lifefile_init() - make the file in every namespace there is and will be
 *
 * Context: Process context, at load, after record_init().
 * Return: 0, or a negative error.
 */
int __init lifefile_init(void)
{
	return register_pernet_subsys(&life_net_ops);
}

/**
 * lifefile_exit() - remove the file from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void lifefile_exit(void)
{
	unregister_pernet_subsys(&life_net_ops);
}
