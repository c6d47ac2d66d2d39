// SPDX-License-Identifier: GPL-2.0
/*
 * The file tcplive of each namespace: what tcplife would say of each session that
 * is alive if it ended now.
 *
 * It goes through the table of live sessions, place by place. A key there is the
 * address of a socket; TCP's are SLAB_TYPESAFE_BY_RCU, so what was one when the
 * key was read is one, this or another, until the RCU read-side critical section
 * ends. So in there a reference is taken, and the key looked at again: it is
 * given back before the socket ends. Then the socket can be read without its
 * lock; and if the key is gone when all is read, it has ended, and its row is in
 * tcplife by now: who reads this file and then that one loses no session. What
 * was read is of one session if that has not changed meanwhile, by its stamp; the
 * key alone might be that of the same socket's next one.
 *
 * struct live_file is owned by one open file and touched under its seq_file's
 * mutex.
 */
#include <linux/ktime.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "finish.h"
#include "live.h"
#include "procfile.h"
#include "reader.h"
#include "record.h"

/* What seq_file does for a record costs as much as a row: so it is some of them. */
#define LIVE_RECORD_ROWS	16

/* Places of the table that are looked at before others may run. */
#define LIVE_PIECE	256

/**
 * struct live_file - an open tcplive
 * @reader: whose sessions it shows, and what of them
 * @place: where in the table the record begins
 * @end: where that ended when it was written
 * @now_us: the time that is now for the record, microseconds of ktime_get()
 * @real_us: the same since 1970
 */
struct live_file {
	struct life_reader reader;
	unsigned long place;
	unsigned long end;
	u64 now_us;
	u64 real_us;
};

/* Looks at the clock. That costs as much as half of a row's other numbers. */
static void live_look_at_clock(struct live_file *file)
{
	ktime_t now = ktime_get();

	file->now_us = ktime_to_us(now);
	file->real_us = ktime_to_us(ktime_mono_to_real(now));
}

/* Takes a reference to the socket of a session, if it is still there. */
static struct sock *live_hold(unsigned long place, unsigned long *key)
{
	struct sock *sk;

	rcu_read_lock();
	*key = READ_ONCE(life_sessions.keys[place]);
	sk = (struct sock *)*key;
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	/*
	 * The reference before the second look, and all that follows: it may be one
	 * to the next socket at that address, whose count was set after the key of
	 * the old one had gone. Counting up alone orders no loads. See live-hold.litmus.
	 */
	smp_acquire__after_ctrl_dep();
	if (sk && READ_ONCE(life_sessions.keys[place]) != *key) {
		sock_put(sk);
		sk = NULL;
	}
	return sk;
}

/*
 * What there is to say of a session if it does not change; false if nothing. In line, which
 * the compiler would not have it in a loop: a twentieth of what a row costs.
 */
static __always_inline bool live_fill_from(struct live_file *file,
					   const struct session *session,
					   const struct sock *sk, struct life_row *row)
{
	/* It is filled in, as far as it is looked at. */
	struct life_close close __uninitialized;
	int state;

	if (session->listener ||
	    (!life_reader_of_all(&file->reader) &&
	     session->netns != file->reader.view->netns))
		return false;
	state = inet_sk_state_load(sk);
	/* The handshake of who accepts is no session. */
	if (state == TCP_CLOSE || state == TCP_LISTEN ||
	    (state == TCP_SYN_RECV && session->role != LIFE_ROLE_CONN))
		return false;
	/* It may be younger than the record. */
	if (session->start_us + (session->established ? session->conn_us : 0) >
	    file->now_us)
		live_look_at_clock(file);
	life_close_fill_bytes(&close, sk, state);
	life_row_fill(row, sk, session, &close, file->now_us);
	/* connect() says SYN_SENT first, then looks for a port, then sends the SYN. */
	if (!row->ends.lport)
		return false;
	row->time_us = row->life_us == LIFE_UNKNOWN_US ? LIFE_UNKNOWN_US :
		       file->real_us - row->life_us;
	row->end = state;
	return true;
}

/* What there is to say of a session; false if it has ended, or is no session. */
static bool live_fill(struct live_file *file, unsigned long place,
		      unsigned long key, const struct sock *sk,
		      struct life_row *row)
{
	const u16 *stamp = &life_sessions.sessions[place].stamp;
	/* It is filled in by session_copy(). */
	struct session session __uninitialized;

	while (session_copy(&life_sessions, place, key, &session) &&
	       live_fill_from(file, &session, sk, row)) {
		/* What was read before this was the session's: live-fill.litmus. */
		smp_rmb();
		if (READ_ONCE(*stamp) == session.stamp)
			return true;
		cond_resched();
	}
	return false;
}

/* Whether a session is one for this reader, as far as can be told at a glance. */
static bool live_is_shown(const struct live_file *file, unsigned long place)
{
	const struct session *session = &life_sessions.sessions[place];

	/* A data race if it is being claimed or changed: only a hint. */
	return !data_race((bool)session->listener) &&
	       (life_reader_of_all(&file->reader) ||
		/* And so is this. */
		data_race(session->netns) == file->reader.view->netns);
}

/* The first place from @place on that is taken, or where the table ends. */
static unsigned long live_taken(unsigned long place)
{
	const unsigned long *keys = life_sessions.keys, *key, *piece;
	unsigned long places = session_places(&life_sessions);

	while (place < places) {
		if (!(place % LIVE_PIECE))
			cond_resched();
		piece = keys + min(places, (place | (LIVE_PIECE - 1)) + 1);
		for (key = keys + place; key < piece; key++)
			if (READ_ONCE(*key))
				return key - keys;
		place = piece - keys;
	}
	return places;
}

/* Finds the first session from @file->end on, and goes behind it. */
static bool live_next_row(struct live_file *file, struct life_row *row)
{
	unsigned long places = session_places(&life_sessions), place, key;
	struct sock *sk;
	bool found;

	while ((place = live_taken(file->end)) < places) {
		file->end = place + 1;
		if (!live_is_shown(file, place))
			continue;
		sk = live_hold(place, &key);
		if (!sk)
			continue;
		found = live_fill(file, place, key, sk, row);
		sock_put(sk);
		if (found)
			return true;
	}
	file->end = places;
	return false;
}

static void *live_record(struct live_file *file, loff_t pos)
{
	file->place = pos - 1;
	return file->place < session_places(&life_sessions) ? file : NULL;
}

static void *live_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? live_record(seq->private, *pos) : SEQ_START_TOKEN;
}

static void *live_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct live_file *file = seq->private;

	*pos = v == SEQ_START_TOKEN ? 1 : file->end + 1;
	return live_record(file, *pos);
}

static void live_stop(struct seq_file *seq, void *v)
{
	/*
	 * Nothing is held. What this has found gone is in tcplife for who reads that
	 * next: session_release() comes after the row. See live-then-life.litmus.
	 */
	smp_rmb();
}

static int live_show(struct seq_file *seq, void *v)
{
	struct live_file *file = seq->private;
	struct life_row row __uninitialized;
	char *begin, *p;
	unsigned int n;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, life_live_header);
		return 0;
	}
	if (seq_get_buf(seq, &begin) < LIVE_RECORD_ROWS * LIFE_ROW_MAX) {
		seq_commit(seq, -1);
		return 0;
	}
	p = begin;
	file->end = file->place;
	live_look_at_clock(file);
	for (n = 0; n < LIVE_RECORD_ROWS; n++) {
		if (!live_next_row(file, &row))
			break;
		p = life_live_write(p, &row, life_reader_shown(seq, &row));
	}
	seq_commit(seq, p - begin);
	return 0;
}

static const struct seq_operations live_seq_ops = {
	.start	= live_start,
	.next	= live_next,
	.stop	= live_stop,
	.show	= live_show,
};

static int live_open(struct inode *inode, struct file *filp)
{
	return PTR_ERR_OR_ZERO(life_reader_open(inode, filp, &live_seq_ops,
						sizeof(struct live_file)));
}

static const struct proc_ops live_proc_ops = {
	.proc_open	= live_open,
	.proc_read_iter	= procfile_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= procfile_release,
};

static int __net_init live_net_init(struct net *net)
{
	return proc_create("tcplive", 0444, net->proc_net,
			   &live_proc_ops) ? 0 : -ENOMEM;
}

static void __net_exit live_net_exit(struct net *net)
{
	remove_proc_entry("tcplive", net->proc_net);
}

static struct pernet_operations live_net_ops = {
	.init = live_net_init,
	.exit = live_net_exit,
};

/**
 * live_init() - make the file in every namespace there is and will be
 *
 * Context: Process context, at load, after record_init().
 * Return: 0, or a negative error.
 */
int __init live_init(void)
{
	return register_pernet_subsys(&live_net_ops);
}

/**
 * live_exit() - remove the file from every namespace
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void live_exit(void)
{
	unregister_pernet_subsys(&live_net_ops);
}
