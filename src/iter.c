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
 * with bottom halves off) and hold it while they are at a row of that bucket:
 * between iter_start() and iter_stop() nobody may sleep, unless no row was
 * returned.
 *
 * Both iterators know only one way to go on after a stop: TCP to the row where
 * it stopped, UDP to count all rows from the first one on, which costs a
 * reader of n rows n * n steps. iter_start() instead puts them down at any
 * bucket.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/proc_fs.h>

#include "compat.h"
#include "iter.h"
#include "knetstat.h"

/* Copied at load, then read only. */
static struct iter_ops {
	void *(*start)(struct seq_file *seq, loff_t *pos);
	void *(*next)(struct seq_file *seq, void *v, loff_t *pos);
	void (*stop)(struct seq_file *seq, void *v);
} iter_ops[ITER_PROTOS] __ro_after_init;
static struct udp_seq_afinfo iter_udp_afinfo __ro_after_init;

/* A "*pos" that no table reaches: it marks a place that was set from here. */
#define ITER_PLACED	(S64_MAX / 2)

static_assert(TCP_SEQ_STATE_LISTENING == 0, "the first place is all zeros");
static_assert(offsetof(struct tcp_iter_state, p) == 0);
static_assert(offsetof(struct udp_iter_state, p) == 0);

/*
 * Where UDP's iterator is told it stopped: the last socket of a bucket. It
 * only looks for what comes next there, and nothing does.
 */
static struct sock iter_udp_last;

static int __init iter_borrow(const char *path, struct iter_ops *ops,
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
		 * The listeners that were to come have gone. The kernel goes on
		 * to the other table, but with the listener's offset and bucket
		 * in mind it may skip rows there, all of them even.
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
	struct udp_table *table = udp_seq_table(seq);
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
		/* It has released it, which sparse can't see. */
		__release(&table->hash[place->bucket - 1].lock);
	}
	while (v && offset-- && st->bucket == place->bucket)
		v = iter_ops[ITER_UDP].next(seq, v, &pos);
	return v;
}

/**
 * iter_start() - go to a place
 * @seq: the file; its private data begin with a struct iter
 * @proto: the protocol
 * @place: the place
 *
 * Goes to the row at @place, or, where that has gone, to the first one after
 * it. The rows before it are not walked, only those of its own bucket.
 *
 * Context: Process context. Returns with a bucket's spinlock held, unless it
 * returns NULL. To be followed by iter_stop() in either case.
 * Return: a row (a struct sock, or what stands for one), or NULL at the end.
 */
void *iter_start(struct seq_file *seq, enum iter_proto proto,
		 const struct iter_place *place)
{
	return proto == ITER_TCP ? iter_start_tcp(seq, place) :
				   iter_start_udp(seq, place);
}

/**
 * iter_next() - go to the next row
 * @seq: the file
 * @proto: the protocol
 * @v: the row that the iterator is at
 *
 * Context: A bucket's spinlock held, of the same or another bucket on return;
 * none when it returns NULL.
 * Return: the next row, or NULL at the end.
 */
void *iter_next(struct seq_file *seq, enum iter_proto proto, void *v)
{
	loff_t pos = 0;

	return iter_ops[proto].next(seq, v, &pos);
}

/**
 * iter_stop() - leave the row that the iterator is at
 * @seq: the file
 * @proto: the protocol
 * @v: what iter_start() or iter_next() returned last
 *
 * Context: Releases the bucket's spinlock, if @v is a row.
 */
void iter_stop(struct seq_file *seq, enum iter_proto proto, void *v)
{
	iter_ops[proto].stop(seq, v);
}
