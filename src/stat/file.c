// SPDX-License-Identifier: GPL-2.0
/*
 * The files tcpstat, tcp6stat, udpstat, udp6stat and socktrouble of each namespace.
 *
 * A read is done in batches. seq_file would stop and start the iterator for
 * each read(2), at the row where the caller's buffer was full: every 27 rows
 * for a page, and if that bucket changes meanwhile, rows are lost or repeated.
 * Here one seq_file record is a whole batch: as many buckets as fit into the
 * buffer, see iter_batch(), no matter how much the caller reads at a time.
 *
 * socktrouble is read in the same way, part by part. A batch of it ends where a part
 * ends that has rows, and goes on over all that has none: so when nothing is wrong,
 * one batch is one pass over the hash tables.
 *
 * struct table_file is owned by one open file and touched only under its
 * seq_file's mutex; it has a reference to the namespace, and is freed when the
 * file is closed or the module goes, whichever is first (procfs calls
 * procfile_release() for both, after the last read has returned).
 */
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "compat.h"
#include "iter.h"
#include "knetstat.h"
#include "procfile.h"
#include "row.h"

struct table_file;

/**
 * struct table - one of the files
 * @afinfo: for the iterator, which finds it with pde_data(); so it is first
 * @name: the file's name
 * @header: its first line
 * @proto: the protocol
 * @family: the address family, or AF_UNSPEC for both
 * @batch: writes the next batch, at *@p; false if the reader is to die
 * @row: writes a row, for table_batch()
 *
 * Filled in at load, then read only.
 */
struct table {
	union iter_afinfo afinfo;
	const char *name;
	const char *header;
	enum iter_proto proto;
	sa_family_t family;
	bool (*batch)(struct seq_file *seq, struct table_file *file, char **p);
	char *(*row)(char *p, struct sock *sk, bool v6,
		     struct row_reader *reader);
};

/**
 * struct table_file - an open file
 * @iter: the iterator's state; first, since it is what the kernel's iterators
 *	take seq->private for
 * @table: what was opened
 * @place: where the next batch begins
 * @begun: the first batch has been written, and the header before it
 * @done: no batch is left
 * @part: of socktrouble, the number of the part it is in
 * @part_met: and whether sockets have been met there that are for the next one
 * @reader: what its rows are written for
 */
struct table_file {
	struct iter iter;
	const struct table *table;
	struct iter_place place;
	bool begun;
	bool done;
	u8 part;
	bool part_met;
	struct row_reader reader;
};

#define HEADER(local, foreign)						\
	"Recv-Q Send-Q " local " " foreign				\
	" Stat Diag   Drops   UID    Inode Options\n"
#define HEADER4 HEADER("Local-Address        ", "Foreign-Address      ")
#define HEADER6 HEADER("Local-Address                                ",	\
		       "Foreign-Address                              ")

static_assert(sizeof(HEADER4) - sizeof("Options\n") == ROW_OPTIONS(0));
static_assert(sizeof(HEADER6) - sizeof("Options\n") == ROW_OPTIONS(1));
static_assert(sizeof(HEADER6) < ROW_MAX && 2 * ROW_MAX < PROCFILE_BUFFER);
static_assert(offsetof(struct tcp_seq_afinfo, family) ==
	      offsetof(struct udp_seq_afinfo, family));

static bool table_batch(struct seq_file *seq, struct table_file *file, char **p);
static bool trouble_batch(struct seq_file *seq, struct table_file *file, char **p);

static struct table tables[] __ro_after_init = {
	{
		.name = "tcpstat", .header = HEADER4, .batch = table_batch,
		.proto = ITER_TCP, .family = AF_INET, .row = tcp_row,
	}, {
		.name = "udpstat", .header = HEADER4, .batch = table_batch,
		.proto = ITER_UDP, .family = AF_INET, .row = udp_row,
	}, {
		/* UDP's afinfo is for both protocols. */
		.name = "socktrouble", .header = HEADER6, .batch = trouble_batch,
		.proto = ITER_UDP, .family = AF_UNSPEC,
	}, {
		.name = "tcp6stat", .header = HEADER6, .batch = table_batch,
		.proto = ITER_TCP, .family = AF_INET6, .row = tcp_row,
	}, {
		.name = "udp6stat", .header = HEADER6, .batch = table_batch,
		.proto = ITER_UDP, .family = AF_INET6, .row = udp_row,
	},
};

/* The IPv6 tables are last: with ipv6.disable=1 there are none. */
static int table_count __ro_after_init;

/*
 * Two batches never go into one fill of the buffer (table_show() says the
 * second does not fit), so *pos only counts them, and table_next() is called
 * once after each.
 */
static void *table_start(struct seq_file *seq, loff_t *pos)
{
	struct table_file *file = seq->private;

	if (!*pos) {
		file->place = (struct iter_place){};
		file->part = 0;
		file->part_met = false;
		file->begun = false;
		file->done = false;
	}
	return file->done ? NULL : file;
}

static void *table_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct table_file *file = seq->private;

	++*pos;
	return file->done ? NULL : file;
}

static void table_stop(struct seq_file *seq, void *v)
{
	/* The iterator never stays started between two calls. */
}

/* What may have changed since the batch before. */
static void table_reader_refresh(struct row_reader *reader)
{
	struct net *net = reader->net;

	reader->congestion = rcu_access_pointer(net->ipv4.tcp_congestion_control);
	reader->pmtudisc = READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc) ?
			   IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
#if IS_ENABLED(CONFIG_IPV6)
	reader->v6only = READ_ONCE(net->ipv6.sysctl.bindv6only);
#endif
}

/* Writes a row; see iter_batch(). */
static char *table_row(char *p, struct sock *sk, void *data)
{
	struct table_file *file = data;

	return file->table->row(p, sk, file->table->family == AF_INET6,
				&file->reader);
}

static bool table_batch(struct seq_file *seq, struct table_file *file, char **p)
{
	table_reader_refresh(&file->reader);
	file->done = iter_batch(seq, file->table->proto, &file->place, p,
				seq->buf + seq->size - ROW_MAX, table_row, file);
	return true;
}

/* What socktrouble consists of; every second one is for IPv6. */
static const struct trouble_part {
	enum iter_proto proto;
	bool (*suspect)(const struct sock *sk);
	char *(*row)(char *p, struct sock *sk, bool v6,
		     struct row_reader *reader);
} trouble_parts[] = {
	{ ITER_TCP, tcp_suspect, tcp_trouble },
	{ ITER_TCP, tcp_suspect, tcp_trouble },
	{ ITER_UDP, udp_suspect, udp_trouble },
	{ ITER_UDP, udp_suspect, udp_trouble },
};

/*
 * Each part is a pass over the sockets of both families, which writes those of
 * one: if the pass for IPv4 has met no IPv6 socket to look at, none is made for them.
 */
static char *trouble_row(char *p, struct sock *sk, void *data)
{
	struct table_file *file = data;
	/* Once: IPV6_ADDRFORM changes it. */
	bool v6 = READ_ONCE(sk->sk_family) == AF_INET6;

	if (v6 != (file->part & 1)) {
		file->part_met = true;
		return p;
	}
	return trouble_parts[file->part].row(p, sk, v6, &file->reader);
}

static bool trouble_batch(struct seq_file *seq, struct table_file *file, char **p)
{
	const char *begin = *p;

	while (!file->done && *p == begin) {
		const struct trouble_part *part = &trouble_parts[file->part];
		struct iter_place place = file->place;

		table_reader_refresh(&file->reader);
		if (!iter_batch_of(seq, part->proto, &place, p,
				   seq->buf + seq->size - ROW_MAX, part->suspect,
				   trouble_row, file)) {
			/* Another reader of this file is to find the same place. */
			if (fatal_signal_pending(current))
				return false;
			file->place = place;
			continue;
		}
		file->place = (struct iter_place){};
		file->part++;
		if ((file->part & 1) && !file->part_met)
			file->part++;
		file->part_met = false;
		file->done = file->part == ARRAY_SIZE(trouble_parts);
	}
	return true;
}

/* Writes a batch: the rows from file->place on that fit. */
static int table_show(struct seq_file *seq, void *v)
{
	struct table_file *file = seq->private;
	char *p = seq->buf;

	if (seq->count) {
		/* The batch before is still in the buffer. */
		seq->count = seq->size;
		return 0;
	}
	if (!file->begun)
		p = field_cstr(p, file->table->header);
	if (!file->table->batch(seq, file, &p))
		return -EINTR;
	file->begun = true;
	seq->count = p - seq->buf;
	return 0;
}

static const struct seq_operations table_seq_ops = {
	.start	= table_start,
	.next	= table_next,
	.stop	= table_stop,
	.show	= table_show,
};

static int table_open(struct inode *inode, struct file *filp)
{
	struct table_file *file;
	struct seq_file *seq;

	file = procfile_open(inode, filp, &table_seq_ops, sizeof(*file));
	if (IS_ERR(file))
		return PTR_ERR(file);
	seq = filp->private_data;
	file->table = pde_data(inode);
	file->reader.net = seq_file_net(seq);
	file->reader.user_ns = seq_user_ns(seq);
	file->reader.net_admin = procfile_net_admin(seq);
	row_uids_init(&file->reader);
	return 0;
}

static const struct proc_ops table_proc_ops = {
	.proc_open	= table_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= procfile_release,
};

static void __net_exit table_net_exit(struct net *net)
{
	int i;

	for (i = 0; i < table_count; i++)
		remove_proc_entry(tables[i].name, net->proc_net);
}

static int __net_init table_net_init(struct net *net)
{
	int i;

	for (i = 0; i < table_count; i++) {
		if (!proc_create_data(tables[i].name, 0444, net->proc_net,
				      &table_proc_ops, &tables[i]))
			goto err_create;
	}
	return 0;

err_create:
	while (i--)
		remove_proc_entry(tables[i].name, net->proc_net);
	return -ENOMEM;
}

static struct pernet_operations table_net_ops = {
	.init = table_net_init,
	.exit = table_net_exit,
};

/**
 * stat_init() - make the files in every namespace there is and will be
 *
 * Context: Process context, at load, after iter_init().
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init stat_init(void)
{
	int i, err;

	BUILD_BUG_ON(offsetof(struct table, afinfo));
	BUILD_BUG_ON(offsetof(struct table_file, iter));

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].family == AF_INET6 && !ipv6_mod_enabled())
			break;
		iter_afinfo_init(&tables[i].afinfo, tables[i].proto,
				 tables[i].family);
	}
	table_count = i;

	for (i = 0; i < table_count; i++) {
		err = procfile_check(tables[i].name);
		if (err)
			return err;
	}
	err = register_pernet_subsys(&table_net_ops);
	if (err)
		pr_err("cannot make the files in /proc/net: error %d\n", err);
	return err;
}

/**
 * stat_exit() - remove the files from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs: procfs
 * has waited for the reads and released the open files, which read EIO now.
 */
void stat_exit(void)
{
	unregister_pernet_subsys(&table_net_ops);
}
