// SPDX-License-Identifier: GPL-2.0
/*
 * The files tcplife and stat/tcplife of each namespace.
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
#include <linux/cred.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat.h"
#include "endpoint.h"
#include "field.h"
#include "knetstat.h"
#include "probe.h"
#include "procfile.h"
#include "ring.h"
#include "session.h"
#include "view.h"

#define LIFE_RECORDS_MAX	4194304U
#define LIFE_SESSIONS_MAX	4194304U

static unsigned int records = 16384;
module_param(records, uint, 0444);
MODULE_PARM_DESC(records, "finished TCP sessions to keep; 0 turns recording off (default 16384)");

static unsigned int sessions = 65536;
module_param(sessions, uint, 0444);
MODULE_PARM_DESC(sessions, "live TCP sessions to track (default 65536)");

struct ring life_ring;
struct session_table life_sessions;

static unsigned int life_net_id __read_mostly;

/**
 * view_of() - the view of a namespace
 * @net: the namespace
 *
 * Context: Any, while there can be sockets of it.
 * Return: the view.
 */
struct view *view_of(const struct net *net)
{
	return net_generic(net, life_net_id);
}

/**
 * struct life_file - an open tcplife
 * @p: the namespace, where seq_file_net() looks for it; so it is first
 * @view: whose rows it shows
 * @in_init_pid_ns: the procfs it was opened in is of the first PID namespace
 * @pid_ns: and else of which one, as probe_pid_ns() calls it
 * @net_admin: the opener may see which process a session belonged to
 * @euid: who the opener is; its own sessions' processes it may see, too
 * @in_pass: a pass has begun
 * @limit: where the pass ends
 * @limit_recorded: the rows that the view had when it began
 * @seen: the rows of the view that are no news for poll
 * @row_seq: its number in the ring
 * @row: the row that was found last
 */
struct life_file {
	struct seq_net_private p;
	struct view *view;
	bool in_init_pid_ns;
	u32 pid_ns;
	bool net_admin;
	kuid_t euid;
	bool in_pass;
	u64 limit;
	u64 limit_recorded;
	u64 seen;
	u64 row_seq;
	struct life_row row;
};

/* Where the columns begin. */
enum {
	LIFE_SEQ	= 0,
	LIFE_TIME	= LIFE_SEQ + 9,
	LIFE_NETNS	= LIFE_TIME + 18,
	LIFE_PID	= LIFE_NETNS + 11,
	LIFE_COMM	= LIFE_PID + 8,
	LIFE_BY		= LIFE_COMM + 17,
	LIFE_UID	= LIFE_BY + 8,
	LIFE_ROLE	= LIFE_UID + 6,
	LIFE_LADDR	= LIFE_ROLE + 5,
	LIFE_LPORT	= LIFE_LADDR + FIELD_IPV4_MAX + 1,
	LIFE_RADDR	= LIFE_LPORT + 6,
	LIFE_RPORT	= LIFE_RADDR + FIELD_IPV4_MAX + 1,
	LIFE_TX		= LIFE_RPORT + 6,
	LIFE_RX		= LIFE_TX + 11,
	LIFE_MS		= LIFE_RX + 11,
	LIFE_CONN	= LIFE_MS + 13,
	LIFE_SRTT	= LIFE_CONN + 10,
	LIFE_RETX	= LIFE_SRTT + 10,
	LIFE_END	= LIFE_RETX + 5,
};

#define LIFE_HEADER							\
	"     SEQ              TIME      NETNS     PID COMM             " \
	"BY        UID ROLE LADDR           LPORT RADDR           RPORT " \
	"      TX_B       RX_B           MS   CONN_MS   SRTT_MS RETX END\n"

static_assert(sizeof(LIFE_HEADER) - sizeof("END\n") == LIFE_END);

/* More than the widest row, and what its writers scribble past it. */
#define LIFE_ROW_MAX	512

static bool life_all(const struct life_file *file)
{
	return file->view == &view_all;
}

static u64 life_head(const struct life_file *file, u64 *recorded)
{
	return ring_head(&life_ring,
			 life_all(file) ? NULL : &file->view->recorded,
			 recorded);
}

static void life_begin_pass(struct life_file *file)
{
	file->limit = life_head(file, &file->limit_recorded);
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
			if (life_all(file) || file->row.view_id == file->view->id) {
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

/* Microseconds as milliseconds with 3 decimals, flush right. */
static char *put_ms(char *p, char *column, u64 us)
{
	char text[FIELD_U64_MAX + FIELD_SLACK + 4], *end;
	u32 fraction;
	size_t n;

	if (us == LIFE_UNKNOWN_US) {
		p = field_pad(p, column - 2);
		return field_str(p, "- ");
	}
	end = field_u64(text, div_u64_rem(us, 1000, &fraction));
	*end++ = '.';
	*end++ = '0' + fraction / 100;
	*end++ = '0' + fraction / 10 % 10;
	*end++ = '0' + fraction % 10;
	n = end - text;
	if (column - 1 - n > p)
		p = field_pad(p, column - 1 - n);
	memcpy(p, text, n);
	p += n;
	*p++ = ' ';
	return p;
}

static char *put_time(char *p, char *column, u64 us)
{
	u32 fraction;
	u64 secs = div_u64_rem(us, USEC_PER_SEC, &fraction);
	char text[FIELD_U64_MAX + FIELD_SLACK];
	size_t n = field_u64(text, secs) - text;
	int i;

	if (column - 8 - n > p)
		p = field_pad(p, column - 8 - n);
	memcpy(p, text, n);
	p += n;
	*p = '.';
	for (i = 6; i; i--, fraction /= 10)
		p[i] = '0' + fraction % 10;
	p[7] = ' ';
	return p + 8;
}

/* The PID that the reader knows the process by, or 0. */
static u32 life_pid(const struct life_file *file, const struct life_task *task)
{
	unsigned int i;

	if (file->in_init_pid_ns)
		return task->pid[0];
	for (i = 1; i < LIFE_PID_LEVELS; i++)
		if (task->pid[i] && task->pid_ns[i - 1] == file->pid_ns)
			return task->pid[i];
	return 0;
}

/* PID, COMM and BY, as far as the reader may know. */
static char *put_task(char *p, char *begin, const struct life_file *file)
{
	static const char * const by[] = {
		[LIFE_BY_LISTEN]	= "listen",
		[LIFE_BY_CLOSE]		= "close",
		[LIFE_BY_CONNECT]	= "connect",
	};
	const struct life_row *row = &file->row;
	u32 pid = 0;

	if (row->by != LIFE_BY_NONE &&
	    (file->net_admin || uid_eq(row->uid, file->euid)))
		pid = life_pid(file, &row->task);
	if (!pid) {
		p = field_str(field_pad(p, begin + LIFE_COMM - 2), "- -");
		p = field_str(field_pad(p, begin + LIFE_BY), "-");
		return field_pad(p, begin + LIFE_UID);
	}
	p = field_right(p, begin + LIFE_COMM, pid);
	p = field_comm(p, row->task.comm);
	p = field_cstr(field_pad(p, begin + LIFE_BY), by[row->by]);
	return field_pad(p, begin + LIFE_UID);
}

static int life_show(struct seq_file *seq, void *v)
{
	static const char * const roles[] = {
		[LIFE_ROLE_NONE]	= "-",
		[LIFE_ROLE_CONN]	= "conn",
		[LIFE_ROLE_ACPT]	= "acpt",
	};
	static const char * const ends[] = {
		[LIFE_END_NONE]		= "-",
		[LIFE_END_FIN]		= "fin",
		[LIFE_END_RESET]	= "reset",
		[LIFE_END_ABORT]	= "abort",
		[LIFE_END_REFUSED]	= "refused",
		[LIFE_END_TIMEOUT]	= "timeout",
	};
	const struct life_file *file = seq->private;
	const struct life_row *row = &file->row;
	char *begin, *p;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, LIFE_HEADER);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < LIFE_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	p = field_right(begin, begin + LIFE_TIME,
			life_all(file) ? file->row_seq : row->view_seq);
	p = put_time(p, begin + LIFE_NETNS, row->time_us);
	p = field_right(p, begin + LIFE_PID, row->netns);
	p = put_task(p, begin, file);
	p = field_right(p, begin + LIFE_ROLE,
			from_kuid_munged(seq_user_ns(seq), row->uid));
	p = field_pad(field_cstr(p, roles[row->role]), begin + LIFE_LADDR);
	p = field_pad(field_address(p, &row->ends, &row->ends.laddr),
		      begin + LIFE_LPORT);
	p = field_right(p, begin + LIFE_RADDR, row->ends.lport);
	p = field_pad(field_address(p, &row->ends, &row->ends.raddr),
		      begin + LIFE_RPORT);
	p = field_right(p, begin + LIFE_TX, row->ends.rport);
	p = field_right(p, begin + LIFE_RX, row->tx);
	p = field_right(p, begin + LIFE_MS, row->rx);
	p = put_ms(p, begin + LIFE_CONN, row->life_us);
	p = put_ms(p, begin + LIFE_SRTT, row->conn_us);
	p = put_ms(p, begin + LIFE_RETX, row->srtt_us);
	p = field_right(p, begin + LIFE_END, row->retx);
	p = field_cstr(p, ends[row->end]);
	*p++ = '\n';
	seq_commit(seq, p - begin);
	return 0;
}

static const struct seq_operations life_seq_ops = {
	.start	= life_start,
	.next	= life_next,
	.stop	= life_stop,
	.show	= life_show,
};

static int life_open_ops(struct inode *inode, struct file *filp,
			 const struct seq_operations *ops)
{
	struct life_file *file = procfile_open(inode, filp, ops, sizeof(*file));
	const struct pid_namespace *pid_ns;
	struct net *net;

	if (IS_ERR(file))
		return PTR_ERR(file);
	net = seq_file_net(filp->private_data);
	pid_ns = proc_pid_ns(inode->i_sb);
	file->in_init_pid_ns = pid_ns == &init_pid_ns;
	rcu_read_lock();
	file->pid_ns = probe_pid_ns(pid_ns);
	rcu_read_unlock();
	file->euid = current_euid();
	file->net_admin = procfile_net_admin(filp->private_data);
	file->view = view_of(net);
	/* The host's administrator sees the sessions of all namespaces. */
	if (net_eq(net, &init_net) &&
	    ns_capable_noaudit(&init_user_ns, CAP_NET_ADMIN))
		file->view = &view_all;
	return 0;
}

static int life_open(struct inode *inode, struct file *filp)
{
	return life_open_ops(inode, filp, &life_seq_ops);
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

	view_wait(file->view, filp, wait);
	/* Not life_head(): anybody may poll, and its lock is the writers'. */
	recorded = life_all(file) ? READ_ONCE(life_ring.head) - 1 :
				    READ_ONCE(file->view->recorded);
	if (recorded != READ_ONCE(file->seen) || !READ_ONCE(seq->index) ||
	    READ_ONCE(seq->count))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

/*
 * SEEK_END goes behind the newest row, and does not know how many bytes that
 * is: it leaves the offset where it was, but not at 0, where the first row is.
 */
static loff_t life_seek_end(struct file *filp)
{
	struct seq_file *seq = filp->private_data;
	struct life_file *file = seq->private;
	u64 recorded;
	loff_t offset;

	mutex_lock(&seq->lock);
	seq->index = life_head(file, &recorded);
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

static loff_t life_lseek(struct file *filp, loff_t offset, int whence)
{
	if (whence == SEEK_END)
		return offset ? -EINVAL : life_seek_end(filp);
	return seq_lseek(filp, offset, whence);
}

static const struct proc_ops life_proc_ops = {
	.proc_open	= life_open,
	.proc_read_iter	= life_read,
	.proc_lseek	= life_lseek,
	.proc_release	= procfile_release,
	.proc_poll	= life_poll,
};

/* The rows of a view that are in the ring. */
static u64 life_kept(const struct view *view, u64 head)
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

static void *life_stat_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *life_stat_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static int life_stat_show(struct seq_file *seq, void *v)
{
	const struct life_file *file = seq->private;
	u64 recorded, head = life_head(file, &recorded);

	seq_puts(seq, "recorded overwritten dropped untracked tracked\n");
	/* Nothing is ever dropped: a writer waits for its turn. */
	seq_printf(seq, "%llu %llu 0 %llu %lu\n", recorded,
		   recorded - life_kept(file->view, head),
		   (u64)atomic64_read(&file->view->untracked),
		   session_count(&life_sessions, file->view->netns));
	return 0;
}

static const struct seq_operations life_stat_seq_ops = {
	.start	= life_stat_start,
	.next	= life_stat_next,
	.stop	= life_stop,
	.show	= life_stat_show,
};

static int life_stat_open(struct inode *inode, struct file *filp)
{
	return life_open_ops(inode, filp, &life_stat_seq_ops);
}

static const struct proc_ops life_stat_proc_ops = {
	.proc_open	= life_stat_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= procfile_release,
};

static int __net_init life_net_init(struct net *net)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);

	if (view_init(view_of(net), atomic64_inc_return(&last_id), net->ns.inum))
		return -ENOMEM;
	if (!proc_create("tcplife", 0444, net->proc_net, &life_proc_ops))
		goto err_file;
	if (!proc_create("tcplife", 0444, net->proc_net_stat,
			 &life_stat_proc_ops))
		goto err_stat;
	return 0;

err_stat:
	remove_proc_entry("tcplife", net->proc_net);
err_file:
	view_exit(view_of(net));
	return -ENOMEM;
}

static void __net_exit life_net_exit(struct net *net)
{
	remove_proc_entry("tcplife", net->proc_net_stat);
	remove_proc_entry("tcplife", net->proc_net);
	view_exit(view_of(net));
}

static struct pernet_operations life_net_ops = {
	.init = life_net_init,
	.exit = life_net_exit,
	.id = &life_net_id,
	.size = sizeof(struct view),
};

static int __init life_check_params(void)
{
	if (records > LIFE_RECORDS_MAX) {
		pr_err("records=%u is out of range: 0 to %u\n", records,
		       LIFE_RECORDS_MAX);
		return -EINVAL;
	}
	if (!sessions || sessions > LIFE_SESSIONS_MAX) {
		pr_err("sessions=%u is out of range: 1 to %u\n", sessions,
		       LIFE_SESSIONS_MAX);
		return -EINVAL;
	}
	if (records)
		records = roundup_pow_of_two(records);
	sessions = roundup_pow_of_two(sessions);
	return 0;
}

/**
 * life_init() - begin to record, and make the files in every namespace
 *
 * Context: Process context, at load.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init life_init(void)
{
	int err;

	err = life_check_params();
	if (err)
		return err;
	err = procfile_check("tcplife");
	if (err)
		return err;
	err = procfile_check("stat/tcplife");
	if (err)
		return err;

	err = views_init();
	if (err)
		goto err_views;
	/* Without recording the files are there, and empty. */
	err = ring_init(&life_ring, records ?: 1);
	if (err)
		goto err_ring;
	err = session_table_init(&life_sessions, records ? sessions : 1);
	if (err)
		goto err_sessions;
	err = register_pernet_subsys(&life_net_ops);
	if (err)
		goto err_pernet;
	if (records) {
		err = probe_init();
		if (err)
			goto err_probe;
	}
	return 0;

err_probe:
	unregister_pernet_subsys(&life_net_ops);
err_pernet:
	session_table_exit(&life_sessions);
err_sessions:
	ring_exit(&life_ring);
err_ring:
	views_exit();
err_views:
	pr_err("cannot record sessions (records=%u sessions=%u): error %d\n",
	       records, sessions, err);
	return err;
}

/**
 * life_exit() - remove the files and forget what was recorded
 *
 * Context: Process context. When it returns nothing of this file runs, and
 * nobody waits.
 */
void life_exit(void)
{
	if (records)
		probe_exit();
	unregister_pernet_subsys(&life_net_ops);
	session_table_exit(&life_sessions);
	ring_exit(&life_ring);
	views_exit();
}
