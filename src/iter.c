// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own /proc/net/{tcp,udp} iterators, borrowed.
 *
 * tcp_seq_start() and its kin know how to walk the hash tables of every kernel
 * from 5.10 on, but the newer ones do not export them. The kernel's own proc
 * files do hand them out, though: an open /proc/net/tcp is a seq_file, and its
 * operations are these functions. They are part of vmlinux, so the pointers
 * stay good for as long as this module is loaded.
 *
 * The iterators take a bucket's spinlock (the listeners' plain, all others
 * with bottom halves off) and hold it while they are at a row of that bucket.
 *
 * After a stop, TCP's iterator can only resume at the row where it stopped, and
 * UDP's counts all rows from the first one again: n * n steps for a reader of n
 * rows. iter_start() instead starts them at any bucket, and iter_batch() stops
 * them between two buckets.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "iter.h"
#include "knetstat.h"

/* Copied at load, then read only. */
static struct iter_ops iter_ops[ITER_PROTOS] __ro_after_init;
static struct udp_seq_afinfo iter_udp_afinfo __ro_after_init;

/* Over the sockets of all namespaces; to start them is left to iter_all_start(). */
static const struct iter_ops iter_all_ops[ITER_PROTOS] = {
	[ITER_TCP] = { .next = iter_all_next_tcp, .stop = iter_all_stop_tcp },
	[ITER_UDP] = { .next = iter_all_next_udp, .stop = iter_all_stop_udp },
};

/* A "*pos" that no table reaches: it marks a place that was set from here. */
#define ITER_PLACED	(S64_MAX / 2)

static_assert(TCP_SEQ_STATE_LISTENING == 0, "the first place is all zeros");
static_assert(offsetof(struct tcp_iter_state, p) == 0);
static_assert(offsetof(struct udp_iter_state, p) == 0);

/*
 * Passed to UDP's iterator as the last socket of a bucket. The iterator only
 * looks for its successor, and there is none.
 */
static struct sock iter_udp_last;

/**
 * iter_borrow() - borrow an iterator from a file of the kernel's own
 * @path: the file
 * @ops: set to the iterator
 * @afinfo: NULL, or set to what the file has for it
 *
 * Context: Process context, at load; may sleep.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init iter_borrow(const char *path, struct iter_ops *ops,
		       struct udp_seq_afinfo *afinfo)
{
	const struct seq_file *seq;
	struct file *file;
	int err = 0;

	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file)) {
		pr_err("cannot open %s: error %ld\n", path, PTR_ERR(file));
		return PTR_ERR(file);
	}
	seq = file->private_data;
	if (file_inode(file)->i_sb->s_magic != PROC_SUPER_MAGIC || !seq ||
	    !seq->op || !seq->op->start || !seq->op->next || !seq->op->stop) {
		pr_err("%s is not the kernel's own file\n", path);
		err = -ENODEV;
		goto out;
	}
	ops->start = seq->op->start;
	ops->next = seq->op->next;
	ops->stop = seq->op->stop;
	if (afinfo)
		*afinfo = *(struct udp_seq_afinfo *)pde_data(file_inode(file));
out:
	filp_close(file, NULL);
	return err;
}

/**
 * iter_init() - borrow the iterators from the kernel's own files
 *
 * Context: Process context, at load; may sleep. What is borrowed need not be
 * given back.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init iter_init(void)
{
	int err;

	err = iter_borrow("/proc/net/tcp", &iter_ops[ITER_TCP], NULL);
	if (err)
		return err;
	return iter_borrow("/proc/net/udp", &iter_ops[ITER_UDP],
			   &iter_udp_afinfo);
}

/**
 * iter_afinfo_init() - fill in what an iterator looks for in a file's data
 * @afinfo: to be filled in
 * @proto: the protocol
 * @family: the address family
 */
void __init iter_afinfo_init(union iter_afinfo *afinfo, enum iter_proto proto,
			     sa_family_t family)
{
	if (proto == ITER_TCP) {
		afinfo->tcp.family = family;
	} else {
		afinfo->udp = iter_udp_afinfo;
		afinfo->udp.family = family;
	}
}

/* Lets tcp_seq_start() believe that it stopped at @place. */
static void *iter_resume_tcp(struct seq_file *seq,
			     const struct iter_place *place)
{
	struct tcp_iter_state *st = seq->private;
	loff_t pos = ITER_PLACED;

	st->state = place->state;
	st->bucket = place->bucket;
	st->offset = place->offset;
	st->last_pos = pos;
	return iter_ops[ITER_TCP].start(seq, &pos);
}

static void *iter_start_tcp(struct seq_file *seq,
			    const struct iter_place *place)
{
	static const struct iter_place established = {
		.state = TCP_SEQ_STATE_ESTABLISHED,
	};
	const struct tcp_iter_state *st = seq->private;
	loff_t pos = 0;
	void *v;

	if (iter_place_first(place)) {
		v = iter_ops[ITER_TCP].start(seq, &pos);
		return iter_ops[ITER_TCP].next(seq, v, &pos);
	}
	v = iter_resume_tcp(seq, place);
	if (st->state != place->state) {
		/*
		 * The remaining listeners have gone. The kernel goes on to the
		 * other table, but with the listener's bucket and offset, so it
		 * may skip rows there, even all of them.
		 */
		iter_ops[ITER_TCP].stop(seq, v);
		v = iter_resume_tcp(seq, &established);
	}
	return v;
}

static void *iter_start_udp(struct seq_file *seq,
			    const struct iter_place *place)
{
	struct udp_iter_state *st = seq->private;
	struct udp_table *table = udp_seq_table(seq, seq_file_net(seq));
	int offset = place->offset;
	loff_t pos = 0;
	void *v;

	if (!place->bucket) {
		v = iter_ops[ITER_UDP].start(seq, &pos);
		v = iter_ops[ITER_UDP].next(seq, v, &pos);
	} else {
		/* As if it stood at the end of the bucket before. */
		st->bucket = place->bucket - 1;
		spin_lock_bh(&table->hash[st->bucket].lock);
		v = iter_ops[ITER_UDP].next(seq, &iter_udp_last, &pos);
		/* next() has released the lock, which sparse can't see. */
		__release(&table->hash[place->bucket - 1].lock);
	}
	while (v && offset-- && st->bucket == place->bucket)
		v = iter_ops[ITER_UDP].next(seq, v, &pos);
	return v;
}

/* Goes to the row at @place, or, where that has gone, to the next one. */
static void *iter_start(struct seq_file *seq, enum iter_proto proto,
			const struct iter_place *place)
{
	struct iter *iter = seq->private;

	if (iter->all)
		return iter_all_start(iter, seq, proto, place);
	return proto == ITER_TCP ? iter_start_tcp(seq, place) :
				   iter_start_udp(seq, place);
}

static bool iter_same_bucket(const struct iter *iter, enum iter_proto proto,
			     const struct iter_place *place)
{
	if (proto == ITER_TCP)
		return iter->tcp.bucket == place->bucket &&
		       iter->tcp.state == place->state;
	return iter->udp.bucket == place->bucket;
}

/* The place of the first row of the bucket that the iterator is in. */
static struct iter_place iter_bucket(const struct iter *iter,
				     enum iter_proto proto)
{
	if (proto == ITER_TCP)
		return (struct iter_place){
			.state = iter->tcp.state,
			.bucket = iter->tcp.bucket,
		};
	return (struct iter_place){ .bucket = iter->udp.bucket };
}

/*
 * How many rows are looked at before other tasks have their turn: 0.1 ms at most,
 * if none of them is in a cache. More than there are in a batch, if each is written.
 */
#define ITER_TURN	1024

/**
 * iter_batch_of() - write as many rows as fit, of some of the sockets
 * @seq: the file; its private data begin with a struct iter
 * @proto: the protocol
 * @place: where to begin; set to where the next batch begins
 * @pos: where to write; set to where the last row ends
 * @full: a row that would begin after this is not written
 * @wanted: whether to call @write for @sk (a socket, TIME_WAIT or request socket);
 *	must be quick, and not sleep; NULL: for all
 * @write: writes a row at @p for @sk, or nothing; returns where the row ends; must
 *	not sleep
 * @arg: for @write
 *
 * A bucket that does not fit is left to the next batch, unless it is the first
 * of this one. So whatever comes and goes between two batches, a socket that
 * stays is in exactly one of them. Only a bucket larger than a batch (a
 * thousand sockets that share a port) is split: the next batch then counts rows
 * up to where this one ended, as the kernel's own files always do. Growing the
 * batch instead would let a user make the kernel hold a bucket's lock for as
 * long as it takes to write all of its rows.
 *
 * However few rows are written, this gives way to other tasks between two buckets
 * (or in a bucket, as above), as soon as ITER_TURN have been looked at, and there
 * ends early for a task that is to die.
 *
 * Both are called with the bucket's spinlock held, @write also in an RCU read-side
 * critical section.
 *
 * Context: Process context, may sleep.
 * Return: whether that was the last batch.
 */
bool iter_batch_of(struct seq_file *seq, enum iter_proto proto,
		   struct iter_place *place, char **pos, const char *full,
		   bool (*wanted)(const struct sock *sk),
		   char *(*write)(char *p, struct sock *sk, void *arg), void *arg)
{
	const struct iter *iter = seq->private;
	const struct iter_ops *ops = iter->all ? &iter_all_ops[proto] :
						 &iter_ops[proto];
	/* Where the bucket that is being written begins. */
	char *begin = *pos, *mark = begin, *p = begin;
	unsigned int looked;
	loff_t ignored = 0;
	bool more;
	void *v;

	do {
		looked = 0;
		v = iter_start(seq, proto, place);
		while (v && p <= full && looked < 2 * ITER_TURN) {
			if (!iter_same_bucket(iter, proto, place)) {
				*place = iter_bucket(iter, proto);
				mark = p;
				if (looked >= ITER_TURN)
					break;
			}
			if (!wanted || unlikely(wanted(v))) {
				rcu_read_lock();
				p = write(p, v, arg);
				rcu_read_unlock();
			}
			place->offset++;
			looked++;
			v = ops->next(seq, v, &ignored);
		}
		more = v && p <= full;
		if (v && !iter_same_bucket(iter, proto, place)) {
			/* Just at the end of a bucket. */
			*place = iter_bucket(iter, proto);
			mark = p;
		} else if (v && p > full && mark > begin) {
			/* Full inside a bucket: it is for the next batch, whole. */
			p = mark;
			place->offset = 0;
		}
		ops->stop(seq, v);
		cond_resched();
	} while (more && !fatal_signal_pending(current));
	*pos = p;
	return !v;
}
