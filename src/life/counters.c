// SPDX-License-Identifier: GPL-2.0
/*
 * The file stat/tcplife of each namespace: did a reader of tcplife miss anything?
 */
#include <linux/atomic.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "counters.h"
#include "procfile.h"
#include "reader.h"
#include "record.h"

/* The rows of a view that are in the ring. */
static u64 counters_kept(const struct view *view, u64 head)
{
	struct life_row row;
	u64 n, kept = 0;

	if (view == &view_all)
		return head - ring_tail(&life_ring, head);
	for (n = ring_tail(&life_ring, head); n < head; n++) {
		if (!(n % 1024))
			cond_resched();
		if (ring_read(&life_ring, n, &row) && row.view_id == view->id)
			kept++;
	}
	return kept;
}

static void *counters_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *counters_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void counters_stop(struct seq_file *seq, void *v)
{
	/* Nothing is held. */
}

static int counters_show(struct seq_file *seq, void *v)
{
	const struct life_reader *reader = seq->private;
	u64 recorded, head = life_reader_head(reader, &recorded);

	seq_puts(seq, "recorded overwritten dropped untracked tracked\n");
	/* Nothing is ever dropped: a writer waits for its turn. */
	seq_printf(seq, "%llu %llu 0 %llu %lu\n", recorded,
		   recorded - counters_kept(reader->view, head),
		   (u64)atomic64_read(&reader->view->untracked),
		   session_count(&life_sessions, reader->view->netns));
	return 0;
}

static const struct seq_operations counters_seq_ops = {
	.start	= counters_start,
	.next	= counters_next,
	.stop	= counters_stop,
	.show	= counters_show,
};

static int counters_open(struct inode *inode, struct file *filp)
{
	return PTR_ERR_OR_ZERO(life_reader_open(inode, filp, &counters_seq_ops,
						sizeof(struct life_reader)));
}

static const struct proc_ops counters_proc_ops = {
	.proc_open	= counters_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= procfile_release,
};

static int __net_init counters_net_init(struct net *net)
{
	return proc_create("tcplife", 0444, net->proc_net_stat,
			   &counters_proc_ops) ? 0 : -ENOMEM;
}

static void __net_exit counters_net_exit(struct net *net)
{
	remove_proc_entry("tcplife", net->proc_net_stat);
}

static struct pernet_operations counters_net_ops = {
	.init = counters_net_init,
	.exit = counters_net_exit,
};

/**
 * counters_init() - make the file in every namespace there is and will be
 *
 * Context: Process context, at load, after record_init().
 * Return: 0, or a negative error.
 */
int __init counters_init(void)
{
	return register_pernet_subsys(&counters_net_ops);
}

/**
 * counters_exit() - remove the file from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void counters_exit(void)
{
	unregister_pernet_subsys(&counters_net_ops);
}
