// SPDX-License-Identifier: GPL-2.0
/*
 * The file tcplife of each namespace.
 *
 * A reader's position is a row's number in the ring: rows that are overwritten
 * before it gets there are a gap in SEQ. A pass ends at the newest row there
 * was when it began, so that cat(1) ends; the read after the one that returned
 * 0 begins another pass, from there.
 *
 * struct life_file is owned by one open file and accessed under its seq_file's
 * mutex, except for @seen, which poll reads, and @in_pass, which is cleared
 * after a read of 0: a stale value of either is as if it had been read earlier.
 */
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "compat.h"
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
 * @next: the number of the row to go on with after the record
 * @row_seq: the number in the ring of the record's first row
 * @row: that row
 */
struct life_file {
	struct life_reader reader;
	bool in_pass;
	u64 limit;
	u64 limit_recorded;
	u64 seen;
	u64 next;
	u64 row_seq;
	struct life_row row;
};

/* What seq_file does for a record costs as much as a row: so it is some of them. */
#define LIFE_RECORD_ROWS	16

static void life_begin_pass(struct life_file *file)
{
	file->limit = life_reader_head(&file->reader, &file->limit_recorded);
	/* All of it is news for poll until the end is reached. */
	WRITE_ONCE(file->seen, U64_MAX);
	WRITE_ONCE(file->in_pass, true);
}

/* Finds the first row from *n on that is the reader's, if the pass has one. */
static bool life_look(const struct life_file *file, u64 *n, struct life_row *row)
{
	while (*n < file->limit) {
		if (!(*n % 1024))
			cond_resched();
		if (ring_read(&life_ring, *n, row)) {
			if (life_reader_of_all(&file->reader) ||
			    row->view_id == file->reader.view->id)
				return true;
			++*n;
		} else {
			/* Overwritten: go to where the ring begins now. */
			*n = max(*n + 1, ring_tail(&life_ring,
						   READ_ONCE(life_ring.head)));
		}
	}
	return false;
}

/* Finds the first row of the record at *pos or behind; sets *pos to it. */
static void *life_find(struct life_file *file, loff_t *pos)
{
	file->row_seq = *pos;
	if (life_look(file, &file->row_seq, &file->row)) {
		*pos = file->row_seq;
		return file;
	}
	*pos = max(file->row_seq, file->limit);
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
	struct life_file *file = seq->private;

	*pos = v == SEQ_START_TOKEN ? 1 : file->next;
	return life_find(file, pos);
}

static void life_stop(struct seq_file *seq, void *v)
{
	/* Nothing is held. */
}

static char *life_show_row(struct seq_file *seq, char *p, u64 n,
			   const struct life_row *row)
{
	struct life_file *file = seq->private;
	struct life_shown *shown = life_reader_shown(seq, row);

	shown->seq = life_reader_of_all(&file->reader) ? n : row->view_seq;
	return life_row_write(p, row, shown);
}

static int life_show(struct seq_file *seq, void *v)
{
	struct life_file *file = seq->private;
	struct life_row row __uninitialized;
	char *begin, *p;
	unsigned int i;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, life_row_header);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < LIFE_RECORD_ROWS * LIFE_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	p = life_show_row(seq, begin, file->row_seq, &file->row);
	file->next = file->row_seq + 1;
	for (i = 1; i < LIFE_RECORD_ROWS; i++) {
		if (!life_look(file, &file->next, &row))
			break;
		p = life_show_row(seq, p, file->next++, &row);
	}
	seq_commit(seq, p - begin);
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
