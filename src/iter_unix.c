// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own /proc/net/unix iterator, borrowed as TCP's and UDP's are (see iter.c).
 *
 * Every Unix socket is in the tables that it walks, from its creation until it is closed:
 * unbound ones, those that nobody has accepted yet, those in flight. The tables have been
 * one for all namespaces under one spinlock, and one for each with a lock a bucket (6.0);
 * the iterator knows. Either lock is held while it is at a row.
 *
 * Its place is a number that the kernel makes up: a bucket, and how many rows of this
 * namespace's come before it there. So it goes on one by one in a bucket and by more to
 * the next one, and can start at any.
 */
#include <linux/rcupdate.h>

#include "iter.h"
#include "iter_unix.h"

/* Copied at load, then read only. */
static struct iter_ops iter_unix_ops __ro_after_init;

/**
 * iter_unix_init() - borrow the iterator from the kernel's own file
 *
 * Context: Process context, at load; may sleep. What is borrowed need not be given back.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init iter_unix_init(void)
{
	return iter_borrow("/proc/net/unix", &iter_unix_ops, NULL);
}

/**
 * iter_unix_batch() - write as many rows as fit, of the Unix sockets of a namespace
 * @seq: the file; its private data begin with a struct seq_net_private
 * @place: where to begin, 0 at first; set to where the next batch begins
 * @pos: where to write; set to where the last row ends
 * @full: a row that would begin after this is not written
 * @write: writes a row at @p for @sk; returns where it ends; must not sleep
 * @arg: for @write
 *
 * As iter_batch_of(): a socket that stays in its bucket is in exactly one batch, unless
 * that bucket is larger than a batch. To bind a socket moves it to another bucket.
 *
 * @write is called in an RCU read-side critical section and with a table's or bucket's
 * spinlock held, inside of which a socket's state lock may be taken, as the kernel's own
 * file does.
 *
 * Context: Process context.
 * Return: whether that was the last batch.
 */
bool iter_unix_batch(struct seq_file *seq, loff_t *place, char **pos, const char *full,
		     char *(*write)(char *p, struct sock *sk, void *arg), void *arg)
{
	/* Where the bucket that is being written begins. */
	char *begin = *pos, *mark = begin, *p = begin;
	loff_t at = *place, before;
	void *v;

	v = iter_unix_ops.start(seq, &at);
	if (v == SEQ_START_TOKEN)
		v = iter_unix_ops.next(seq, v, &at);
	*place = at;
	while (v && p <= full) {
		rcu_read_lock();
		p = write(p, v, arg);
		rcu_read_unlock();
		before = at;
		v = iter_unix_ops.next(seq, v, &at);
		if (at != before + 1) {
			*place = at;
			mark = p;
		}
	}
	if (v && mark > begin)
		p = mark;	/* What it has of this bucket is for the next batch. */
	else
		*place = at;
	iter_unix_ops.stop(seq, v);
	*pos = p;
	return !v;
}
