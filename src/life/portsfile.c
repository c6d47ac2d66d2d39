// SPDX-License-Identifier: GPL-2.0
/*
 * The file tcpports of each namespace: counters of its sessions, by service port and
 * side.
 *
 * A pass begins with a list of the rows there are, sorted; their numbers are read
 * when they are written. So an open file keeps eight bytes a row, and what it says
 * is newer than the list. In the view of all namespaces, rows of different ones
 * which are of the same port and side follow one another on the list, and are added
 * up. While rows are freed (a namespace ends) nobody reads; the list is made again
 * then, from where the reader is.
 *
 * struct ports_file is owned by one open file and touched under its seq_file's
 * mutex.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "portsfile.h"
#include "procfile.h"
#include "reader.h"
#include "record.h"

/* What seq_file does for a record costs as much as a row: so it is some of them. */
#define PORTS_RECORD_ROWS	16

/* On the list: what is counted without a port, of a role. */
#define PORTS_LIST_OTHER	BIT(31)

/* No order of a row. */
#define PORTS_ORDER_NONE	U32_MAX

/* The list is sorted by that many bits at a time. */
#define PORTS_RADIX_BITS	10
#define PORTS_RADIX		BIT(PORTS_RADIX_BITS)

static_assert(2 * PORTS_RADIX_BITS >= PORTS_ORDER_BITS);

/**
 * struct ports_file - an open tcpports
 * @reader: whose sessions it counts
 * @list: in the upper half ports_order() of a row, by which it is sorted; in the
 *	lower one its index, or PORTS_LIST_OTHER and a role
 * @count: how many
 * @generation: that of the rows when the list was made
 * @begin: where on the list the record begins
 * @end: where that ended when it was written
 */
struct ports_file {
	struct life_reader reader;
	u64 *list;
	unsigned int count;
	unsigned int generation;
	unsigned int begin;
	unsigned int end;
};

static u32 portsfile_order(u64 entry)
{
	return entry >> 32;
}

static u64 portsfile_entry(u32 order, u32 index)
{
	return (u64)order << 32 | index;
}

/* Lists the rows that the reader may see, in no order. */
static unsigned int portsfile_collect(const struct ports_file *file, u64 *list,
				      unsigned int used)
{
	unsigned int i, n = 0;
	u32 side;
	u64 key;

	for (i = 0; i < used; i++) {
		key = READ_ONCE(life_ports.rows[i].key);
		if (!key || (!life_reader_of_all(&file->reader) &&
			     port_key_view(key) != file->reader.view->id))
			continue;
		side = port_key_side(key);
		list[n++] = portsfile_entry(ports_order(side >> 16,
							side & 0xffff), i);
	}
	for (i = 0; i < PORTS_ROLES; i++)
		list[n++] = portsfile_entry(ports_order(i, PORTS_ORDER_OTHER),
					    PORTS_LIST_OTHER | i);
	return n;
}

/* Sorts by some bits of the order, and keeps what is the same in them as it is. */
static void portsfile_sort_by(const u64 *from, u64 *to, unsigned int n,
			      unsigned int shift, u32 *starts)
{
	u32 start = 0, size;
	unsigned int i;

	memset(starts, 0, PORTS_RADIX * sizeof(*starts));
	for (i = 0; i < n; i++)
		starts[portsfile_order(from[i]) >> shift & (PORTS_RADIX - 1)]++;
	for (i = 0; i < PORTS_RADIX; i++) {
		size = starts[i];
		starts[i] = start;
		start += size;
	}
	for (i = 0; i < n; i++)
		to[starts[portsfile_order(from[i]) >> shift & (PORTS_RADIX - 1)]++] =
			from[i];
}

/**
 * struct ports_space - what a list is made in
 * @most: how many entries there is room for
 * @list: for the list
 * @other: for sorting it
 * @starts: the same
 */
struct ports_space {
	unsigned int most;
	u64 *list;
	u64 *other;
	u32 *starts;
};

static void portsfile_free(struct ports_space *space)
{
	kvfree(space->list);
	kvfree(space->other);
	kfree(space->starts);
}

/* Without the mutex: a reader whose memory is short must not hold up others. */
static bool portsfile_alloc(struct ports_space *space)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	space->most = READ_ONCE(life_ports.used) + PORTS_ROLES;
	space->list = kvmalloc_array(space->most, sizeof(*space->list), gfp);
	space->other = kvmalloc_array(space->most, sizeof(*space->other), gfp);
	space->starts = kmalloc_array(PORTS_RADIX, sizeof(*space->starts), gfp);
	if (space->list && space->other && space->starts)
		return true;
	portsfile_free(space);
	return false;
}

/* Makes the list anew, and takes it from @space. */
static void portsfile_make_list(struct ports_file *file,
				struct ports_space *space)
{
	unsigned int used = space->most - PORTS_ROLES;

	file->count = portsfile_collect(file, space->list, used);
	/* Twice: so it ends where it began. */
	portsfile_sort_by(space->list, space->other, file->count, 0,
			  space->starts);
	portsfile_sort_by(space->other, space->list, file->count,
			  PORTS_RADIX_BITS, space->starts);
	file->generation = life_ports.generation;
	swap(file->list, space->list);
}

/* Goes to what is on the list from @order on. */
static void *portsfile_find(struct ports_file *file, loff_t *pos)
{
	unsigned int from = 0, to = file->count, middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (portsfile_order(file->list[middle]) < *pos - 1)
			from = middle + 1;
		else
			to = middle;
	}
	file->begin = from;
	if (from == file->count)
		return NULL;
	*pos = portsfile_order(file->list[from]) + 1;
	return file;
}

static bool portsfile_listed(const struct ports_file *file, loff_t pos)
{
	return pos && file->list && file->generation == life_ports.generation;
}

/* A position is the order of a record's first row, and one: at 0 is the header. */
static void *portsfile_start(struct seq_file *seq, loff_t *pos)
{
	struct ports_file *file = seq->private;
	struct ports_space space = {};
	bool no_memory = false;

	mutex_lock(&life_ports_mutex);
	if (!portsfile_listed(file, *pos)) {
		mutex_unlock(&life_ports_mutex);
		no_memory = !portsfile_alloc(&space);
		mutex_lock(&life_ports_mutex);
		if (!no_memory) {
			portsfile_make_list(file, &space);
			portsfile_free(&space);
		}
	}
	/* It is for portsfile_stop() to unlock it, whatever is returned. */
	if (no_memory)
		return ERR_PTR(-ENOMEM);
	return *pos ? portsfile_find(file, pos) : SEQ_START_TOKEN;
}

static void *portsfile_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct ports_file *file = seq->private;

	if (v == SEQ_START_TOKEN) {
		*pos = 1;
		return portsfile_find(file, pos);
	}
	file->begin = file->end;
	if (file->begin == file->count) {
		/* Behind all of them, not only the record's first one. */
		*pos = 1LL << PORTS_ORDER_BITS;
		return NULL;
	}
	*pos = portsfile_order(file->list[file->begin]) + 1;
	return file;
}

static void portsfile_stop(struct seq_file *seq, void *v)
{
	mutex_unlock(&life_ports_mutex);
}

static const struct port_counts *portsfile_counts(const struct ports_file *file,
						  u32 index)
{
	return index & PORTS_LIST_OTHER ?
	       &file->reader.view->ports.other[index & ~PORTS_LIST_OTHER] :
	       &life_ports.rows[index].counts;
}

/*
 * Adds up what is of one order on the list, from @file->end on, and goes behind it.
 * Returns the order of what is there, or PORTS_ORDER_NONE.
 */
static u32 portsfile_sum(struct ports_file *file, u32 order,
			 struct port_counts *sum)
{
	const struct port_counts *counts;
	unsigned int from = file->end;
	unsigned long flags;
	u32 next;

	do {
		counts = portsfile_counts(file, file->list[file->end]);
		raw_spin_lock_irqsave(&life_ring.lock, flags);
		if (file->end == from)
			*sum = *counts;
		else
			port_counts_add(sum, counts);
		raw_spin_unlock_irqrestore(&life_ring.lock, flags);
		next = ++file->end < file->count ?
		       portsfile_order(file->list[file->end]) : PORTS_ORDER_NONE;
	} while (next == order);
	return next;
}

static int portsfile_show(struct seq_file *seq, void *v)
{
	struct ports_file *file = seq->private;
	struct port_counts sum;
	char *begin, *p;
	u32 order, next;
	unsigned int n;

	if (seq_get_buf(seq, &begin) < PORTS_RECORD_ROWS * PORTS_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	p = begin;
	if (v == SEQ_START_TOKEN) {
		seq_commit(seq, ports_header_write(p) - begin);
		return 0;
	}
	file->end = file->begin;
	next = portsfile_order(file->list[file->begin]);
	for (n = 0; n < PORTS_RECORD_ROWS && next != PORTS_ORDER_NONE; n++) {
		order = next;
		next = portsfile_sum(file, order, &sum);
		/* A row without a port is there when there is something to say. */
		if (!(order & PORTS_ORDER_OTHER) ||
		    memchr_inv(sum.ends, 0, sizeof(sum.ends)))
			p = ports_row_write(p, order, &sum);
	}
	seq_commit(seq, p - begin);
	return 0;
}

static const struct seq_operations portsfile_seq_ops = {
	.start	= portsfile_start,
	.next	= portsfile_next,
	.stop	= portsfile_stop,
	.show	= portsfile_show,
};

static int portsfile_open(struct inode *inode, struct file *filp)
{
	return PTR_ERR_OR_ZERO(life_reader_open(inode, filp, &portsfile_seq_ops,
						sizeof(struct ports_file)));
}

static int portsfile_release(struct inode *inode, struct file *filp)
{
	const struct seq_file *seq = filp->private_data;
	struct ports_file *file = seq->private;

	kvfree(file->list);
	return procfile_release(inode, filp);
}

static const struct proc_ops portsfile_proc_ops = {
	.proc_open	= portsfile_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= portsfile_release,
};

static int __net_init portsfile_net_init(struct net *net)
{
	return proc_create("tcpports", 0444, net->proc_net,
			   &portsfile_proc_ops) ? 0 : -ENOMEM;
}

static void __net_exit portsfile_net_exit(struct net *net)
{
	remove_proc_entry("tcpports", net->proc_net);
}

static struct pernet_operations portsfile_net_ops = {
	.init = portsfile_net_init,
	.exit = portsfile_net_exit,
};

/**
 * portsfile_init() - make the file in every namespace there is and will be
 *
 * Context: Process context, at load, after record_init().
 * Return: 0, or a negative error.
 */
int __init portsfile_init(void)
{
	return register_pernet_subsys(&portsfile_net_ops);
}

/**
 * portsfile_exit() - remove the file from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void portsfile_exit(void)
{
	unregister_pernet_subsys(&portsfile_net_ops);
}
