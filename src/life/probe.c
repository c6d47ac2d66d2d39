// SPDX-License-Identifier: GPL-2.0
/*
 * Watches TCP sockets change state, and writes a row when one has ended.
 *
 * The tracepoint inet_sock_set_state fires before the state is stored, on
 * whatever CPU is at work on the socket: with its lock held, or before anyone
 * else can see it. So what happens to one socket happens in order, and one at a
 * time; what happens to two happens at the same time, and one may interrupt the
 * other. Through 6.12 a probe runs with preemption off, on PREEMPT_RT as well,
 * where that rules out spinlock_t, rwlock_t and the slab; from 7.2 on it may be
 * preempted. Nothing here cares: there is the session table, which has no
 * locks, and the ring's, which is raw.
 *
 * Which process a session belongs to is asked of a task only when it is at work
 * on that very socket: when it connects, listens, closes, shuts down or aborts.
 * All else is done by packets and timers, on top of anybody: in a softirq, as
 * the backlog of a socket whose lock somebody holds, or in a task that brings
 * packets in (who writes to a tun device, or polls a busy socket). A kernel
 * thread is never the answer: the work that it does is somebody else's (a
 * delayed close, a path of MPTCP).
 */
#include <linux/hash.h>
#include <linux/idr.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>
#include <net/inet_sock.h>
#include <net/tcp.h>
#include <trace/events/sock.h>

#include "end.h"
#include "endpoint.h"
#include "knetstat.h"
#include "probe.h"
#include "ring.h"
#include "session.h"
#include "view.h"

static struct tracepoint *probe_tracepoint;

/*
 * Whether there is a task that may be asked its name, if this is its doing.
 *
 * A task that acts on its socket does it with bottom halves on. They are off
 * when it is ss -K, or somebody who writes packets to a tun device or polls a
 * busy socket.
 */
static bool probe_has_task(void)
{
	return !in_interrupt() && !(current->flags & PF_KTHREAD);
}

/**
 * probe_pid_ns() - a number to know a PID namespace by when it is gone
 * @ns: the namespace
 *
 * Its inode number alone comes back at once with the next namespace, and then a
 * container would be shown another one's PIDs as its own. So that is mixed with
 * the time when its first process was made.
 *
 * Context: RCU read-side critical section.
 * Return: the number.
 */
u32 probe_pid_ns(const struct pid_namespace *ns)
{
	/* Not child_reaper, which still points there when that has gone. */
	struct pid *pid = idr_find(&ns->idr, 1);
	const struct task_struct *init =
		pid ? pid_task(pid, PIDTYPE_TGID) : NULL;

	return hash_64((init ? READ_ONCE(init->start_time) : 0) ^
		       (u64)ns->ns.inum << 32, 32);
}

static void probe_task(struct life_task *task)
{
	/* One's own, which stays as it is as long as one runs. */
	const struct pid *pid = task_tgid(current);
	unsigned int level = pid->level;

	task->pid[0] = pid->numbers[0].nr;
	if (likely(!level)) {
		task->pid[1] = 0;
		task->pid[2] = 0;
	} else {
		rcu_read_lock();
		task->pid[1] = pid->numbers[level].nr;
		task->pid_ns[0] = probe_pid_ns(pid->numbers[level].ns);
		task->pid[2] = pid->numbers[level - 1].nr;
		task->pid_ns[1] = probe_pid_ns(pid->numbers[level - 1].ns);
		rcu_read_unlock();
	}
	/* The process's name, not the thread's; prctl() may be changing it. */
	memcpy(task->comm, current->group_leader->comm, sizeof(task->comm));
}

static u64 probe_now_us(void)
{
	return ktime_to_us(ktime_get());
}

static struct session *probe_claim(const struct sock *sk)
{
	struct session *session = session_claim(&life_sessions, sk);

	if (likely(session))
		return session;
	atomic64_inc(&view_of(sock_net(sk))->untracked);
	atomic64_inc(&view_all.untracked);
	return NULL;
}

static void probe_connect(const struct sock *sk)
{
	struct session *session = probe_claim(sk);

	if (!session)
		return;
	session_write_begin(session);
	session->start_us = probe_now_us();
	session->netns = sock_net(sk)->ns.inum;
	session->role = LIFE_ROLE_CONN;
	session->listener = false;
	session->established = false;
	session->repaired = false;
	session->by = LIFE_BY_NONE;
	if (probe_has_task()) {
		probe_task(&session->task);
		session->by = LIFE_BY_CONNECT;
	}
	session_write_end(session);
}

static void probe_listen(const struct sock *sk)
{
	struct session *session;

	/* No session, only something to remember: not to be counted. */
	if (!probe_has_task())
		return;
	session = session_claim(&life_sessions, sk);
	if (!session)
		return;
	session_write_begin(session);
	session->listener = true;
	session->by = LIFE_BY_LISTEN;
	probe_task(&session->task);
	session_write_end(session);
}

/*
 * The listener that a new child was cloned from, or an address that is none.
 *
 * Nothing hands it to the tracepoint, and address and port do not tell which
 * one of a SO_REUSEPORT group it was. But a child is made by copying the
 * listener whole, and at this moment what will become its own list of sent
 * segments still is the copy of the listener's: that is empty, so it points to
 * itself, there. Should a kernel come to clear it earlier, this is the child's
 * own address or nonsense; it is never followed, only looked up.
 */
static const struct sock *probe_listener(const struct sock *child)
{
	const struct list_head *sent = &tcp_sk(child)->tsorted_sent_queue;
	const struct tcp_sock *tp =
		list_entry(READ_ONCE(sent->next), struct tcp_sock,
			   tsorted_sent_queue);

	return (const struct sock *)tp;
}

static void probe_child(const struct sock *sk)
{
	struct session *session = probe_claim(sk);

	if (!session)
		return;
	session_write_begin(session);
	session->start_us = probe_now_us();
	session->netns = sock_net(sk)->ns.inum;
	session->role = LIFE_ROLE_ACPT;
	session->listener = false;
	session->established = false;
	session->repaired = false;
	session->by = session_copy_task(&life_sessions, probe_listener(sk),
					&session->task) ?
		      LIFE_BY_LISTEN : LIFE_BY_NONE;
	session_write_end(session);
}

static void probe_established(const struct sock *sk)
{
	struct session *session = session_find(&life_sessions, sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 now;
	u32 conn_us;

	if (!session || session->established)
		return;
	now = probe_now_us();
	conn_us = min_t(u64, now - session->start_us, U32_MAX);
	/*
	 * With TCP_FASTOPEN_CONNECT the SYN may have waited for the first data.
	 * How long it was on its way the round-trip time says, which its
	 * acknowledgment has just told; unless it was lost and sent again.
	 */
	if (tp->fastopen_connect && tp->srtt_us && !tp->total_retrans)
		conn_us = min(conn_us, tp->srtt_us >> 3);
	session->start_us = now - conn_us;
	session->conn_us = conn_us;
	session->repaired = tp->repair;
	session->established = true;
}

/* The session of a socket that is older than the module. */
static struct session *probe_claim_older(const struct sock *sk)
{
	struct session *session = session_claim(&life_sessions, sk);

	if (!session)
		return NULL;
	session_write_begin(session);
	session->start_us = 0;
	session->netns = sock_net(sk)->ns.inum;
	session->role = LIFE_ROLE_NONE;
	session->listener = false;
	session->established = false;
	session->repaired = false;
	session->by = LIFE_BY_NONE;
	session_write_end(session);
	return session;
}

/* What comes from here on, once the program can't read it, is for nobody. */
static void probe_note_received(struct session *session, const struct sock *sk)
{
	session->segs = tcp_sk(sk)->segs_in;
	session->data_segs = tcp_sk(sk)->data_segs_in;
	session->received = tcp_sk(sk)->bytes_received;
}

/*
 * The state that the socket has is set again: that is how close() passes when
 * shutdown() has said FIN before.
 */
static void probe_same_state(const struct sock *sk, int state)
{
	struct session *session;

	if (state != TCP_FIN_WAIT1 && state != TCP_FIN_WAIT2)
		return;
	session = session_find(&life_sessions, sk);
	if (session)
		probe_note_received(session, sk);
}

/* A task closes the socket, or shuts it down for writing. */
static void probe_closing(const struct sock *sk, int state)
{
	struct session *session = session_find(&life_sessions, sk);

	if (unlikely(!session)) {
		session = probe_claim_older(sk);
		if (!session)
			return;
	}
	if (state == TCP_FIN_WAIT1)
		probe_note_received(session, sk);
	if (session->by >= LIFE_BY_CLOSE || !probe_has_task())
		return;
	probe_task(&session->task);
	session->by = LIFE_BY_CLOSE;
}

static void probe_fill_close(struct life_close *close, const struct sock *sk,
			     const struct session *session, int state)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	close->state = state;
	close->err = READ_ONCE(sk->sk_err);
	close->local = in_task();
	close->acts = !in_interrupt();
	close->segs_after = 0;
	close->data_after = 0;
	close->received_after = 0;
	/* What tcp_done() shuts down comes later: this is the program's doing. */
	if (session && (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)) {
		close->segs_after = tp->segs_in - session->segs;
		close->data_after = tp->data_segs_in - session->data_segs;
		close->received_after = tp->bytes_received - session->received;
	}
	close->dead = sock_flag(sk, SOCK_DEAD);
	close->fin_received = sock_flag(sk, SOCK_DONE);
	close->repair = tp->repair;
	close->abort_linger = READ_ONCE(tp->linger2) < 0;
	close->retransmits = icsk->icsk_retransmits || icsk->icsk_probes_out;
	close->snd_una = tp->snd_una;
	close->snd_nxt = tp->snd_nxt;
	close->write_seq = tp->write_seq;
	close->bytes_acked = tp->bytes_acked;
	close->bytes_received = tp->bytes_received;
	close->bytes_sent = tp->bytes_sent;
	close->bytes_retrans = tp->bytes_retrans;
}

static void probe_row(const struct sock *sk, const struct session *session,
		      const struct life_close *close)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct view *view = view_of(sock_net(sk));
	ktime_t now = ktime_get();
	u64 now_us = ktime_to_us(now);
	/* All of it is filled in, but for a process that is not known. */
	struct life_row row __uninitialized;

	row.view_id = view->id;
	row.time_us = ktime_to_us(ktime_mono_to_real(now));
	row.life_us = LIFE_UNKNOWN_US;
	row.conn_us = LIFE_UNKNOWN_US;
	row.role = LIFE_ROLE_NONE;
	row.by = LIFE_BY_NONE;
	if (likely(session)) {
		row.role = session->role;
		row.by = session->by;
		row.task = session->task;
		if (session->start_us)
			row.life_us = now_us - session->start_us;
		if (session->established) {
			row.life_us -= session->conn_us;
			if (session->role == LIFE_ROLE_CONN)
				row.conn_us = session->conn_us;
		}
	}
	row.end = life_end(close);
	/*
	 * A task that aborts it, or gives up connecting. Not ss -K, which is not
	 * its owner (ECONNABORTED); nor who closes a listener whose queue it is
	 * in (it has no struct socket before it is accepted); nor somebody on
	 * top of whom a packet does it (to a socket that nobody holds any more).
	 */
	if (row.by < LIFE_BY_CLOSE && close->local && !close->err &&
	    !(current->flags & PF_KTHREAD) && sk->sk_socket &&
	    (row.end == LIFE_END_ABORT || close->state == TCP_SYN_SENT)) {
		probe_task(&row.task);
		row.by = LIFE_BY_CLOSE;
	}
	endpoints_copy(&row.ends, sk);
	row.netns = sock_net(sk)->ns.inum;
	row.uid = sk->sk_uid;
	/* With TCP_REPAIR there was no SYN to be acknowledged. */
	row.tx = life_tx(close, session && session->repaired ?
				LIFE_ROLE_ACPT : row.role);
	row.rx = life_rx(close);
	row.srtt_us = tp->srtt_us ? tp->srtt_us >> 3 : LIFE_UNKNOWN_US;
	row.retx = tp->total_retrans;

	ring_write(&life_ring, &row, &view->recorded);
	view_wake(view);
}

static void probe_close(const struct sock *sk, int state)
{
	struct session *session = session_find(&life_sessions, sk);

	if (state != TCP_LISTEN) {
		struct life_close close __uninitialized;

		probe_fill_close(&close, sk, session, state);
		/*
		 * A child whose handshake was never finished is no session,
		 * unless data came with its SYN (Fast Open).
		 */
		if (state != TCP_SYN_RECV || close.bytes_received ||
		    (session && session->role == LIFE_ROLE_CONN))
			probe_row(sk, session, &close);
	}
	if (session)
		session_release(&life_sessions, session);
}

static void probe_set_state(void *data, const struct sock *sk,
			    const int oldstate, const int newstate)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	if (unlikely(oldstate == newstate)) {
		probe_same_state(sk, newstate);
		return;
	}

	switch (newstate) {
	case TCP_SYN_SENT:
		probe_connect(sk);
		break;
	case TCP_LISTEN:
		probe_listen(sk);
		break;
	case TCP_SYN_RECV:
		if (oldstate == TCP_LISTEN)
			probe_child(sk);
		break;
	case TCP_ESTABLISHED:
		probe_established(sk);
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		probe_closing(sk, newstate);
		break;
	case TCP_CLOSE:
		probe_close(sk, oldstate);
		break;
	}
}

static void __init probe_find(struct tracepoint *tp, void *name)
{
	if (!strcmp(tp->name, name))
		probe_tracepoint = tp;
}

/**
 * probe_init() - begin to watch
 *
 * Context: Process context, at load, when the ring, the table and the views
 * are there.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init probe_init(void)
{
	static char name[] __initdata = "inet_sock_set_state";
	int err;

	/* Fails to compile where the tracepoint passes other arguments. */
	check_trace_callback_type_inet_sock_set_state(probe_set_state);

	for_each_kernel_tracepoint(probe_find, name);
	if (!probe_tracepoint) {
		pr_err("this kernel has no tracepoint %s\n", name);
		return -ENOENT;
	}
	err = tracepoint_probe_register(probe_tracepoint, probe_set_state,
					NULL);
	if (err)
		pr_err("cannot probe %s: error %d\n", name, err);
	return err;
}

/**
 * probe_exit() - watch no more
 *
 * Context: Process context. When it returns no probe is running on any CPU.
 */
void probe_exit(void)
{
	tracepoint_probe_unregister(probe_tracepoint, probe_set_state, NULL);
	tracepoint_synchronize_unregister();
}
