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
 * Which process a session belongs to is asked of a task only when it acts on that
 * very socket: when it connects, listens, closes, shuts down or aborts. All else
 * is done by packets and timers, on top of anybody: see life_owner_acts().
 */
#include <linux/ktime.h>
#include <linux/tracepoint.h>
#include <net/inet_sock.h>
#include <net/tcp.h>
#include <trace/events/sock.h>

#include "compat.h"
#include "finish.h"
#include "knetstat.h"
#include "paths.h"
#include "probe.h"
#include "record.h"
#include "task.h"
#include "use.h"

static struct tracepoint *probe_tracepoint;

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

/* Between session_write_begin() and _end(): all but the process. */
static void probe_begin(struct session *session, const struct sock *sk,
			enum life_role role, u64 start_us)
{
	session->start_us = start_us;
	session->netns = sock_net(sk)->ns.inum;
	session->role = role;
	session->listener = false;
	session->established = false;
	session->repaired = false;
	session->by = LIFE_BY_NONE;
	session->read = 0;
}

static void probe_connect(const struct sock *sk)
{
	struct session *session = probe_claim(sk);

	if (!session)
		return;
	session_write_begin(session);
	probe_begin(session, sk, LIFE_ROLE_CONN, probe_now_us());
	if (life_owner_acts()) {
		life_task_fill(&session->task);
		session->by = LIFE_BY_CONNECT;
	}
	session_write_end(session);
}

static void probe_listen(const struct sock *sk)
{
	struct session *session;

	/* No session, only something to remember: not to be counted. */
	if (!life_owner_acts())
		return;
	session = session_claim(&life_sessions, sk);
	if (!session)
		return;
	session_write_begin(session);
	session->listener = true;
	session->by = LIFE_BY_LISTEN;
	life_task_fill(&session->task);
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
	probe_begin(session, sk, LIFE_ROLE_ACPT, probe_now_us());
	if (session_copy_task(&life_sessions, probe_listener(sk),
			      &session->task))
		session->by = LIFE_BY_LISTEN;
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
	/* TCP has just looked when the segment came; of TCP_REPAIR there is none. */
	now = unlikely(tp->repair) ? probe_now_us() : tp->tcp_mstamp;
	conn_us = min_t(u64, now - session->start_us, U32_MAX);
	/*
	 * With TCP_FASTOPEN_CONNECT the SYN may have waited for the first data.
	 * How long it was on its way the round-trip time says, which its
	 * acknowledgment has just told; unless it was lost and sent again.
	 */
	if (tp->fastopen_connect && tp->srtt_us && !tp->total_retrans)
		conn_us = min(conn_us, tp->srtt_us >> 3);
	session_write_begin(session);
	session->start_us = now - conn_us;
	session->conn_us = conn_us;
	session->repaired = tp->repair;
	session->established = true;
	session_write_end(session);
}

/* The session of a socket that is older than the module. */
static struct session *probe_claim_older(const struct sock *sk)
{
	struct session *session = session_claim(&life_sessions, sk);

	if (!session)
		return NULL;
	session_write_begin(session);
	probe_begin(session, sk, LIFE_ROLE_NONE, 0);
	session->read = use_mark(use_bytes_read(sk));
	session_write_end(session);
	return session;
}

/**
 * probe_older() - enter a socket that is older than the module
 * @sk: the socket
 * @holder: the first thread of a process that holds it, or NULL
 *
 * Context: Process context; the socket is locked.
 */
void probe_older(const struct sock *sk, struct task_struct *holder)
{
	struct session *session = session_find(&life_sessions, sk);

	/* It has ended meanwhile, or says more by itself. */
	if (sk->sk_state == TCP_CLOSE ||
	    (session && (!holder || session->by >= LIFE_BY_HOLD)))
		return;
	if (!session)
		session = probe_claim_older(sk);
	if (!session)
		return;
	session_write_begin(session);
	session->listener = sk->sk_state == TCP_LISTEN;
	if (holder && life_task_fill_of(&session->task, holder))
		session->by = LIFE_BY_HOLD;
	session_write_end(session);
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
	if (session->by >= LIFE_BY_CLOSE || !life_owner_acts())
		return;
	life_session_name(session, LIFE_BY_CLOSE);
}

static void probe_close(const struct sock *sk, int state)
{
	struct session *session = session_find(&life_sessions, sk);

	if (state != TCP_LISTEN) {
		struct life_close close __uninitialized;

		life_close_fill(&close, sk, session, state);
		/*
		 * A child whose handshake was never finished is no session,
		 * unless data came with its SYN (Fast Open).
		 */
		if (state != TCP_SYN_RECV || close.bytes_received ||
		    (session && session->role == LIFE_ROLE_CONN))
			life_finish(sk, session, &close);
	}
	if (session)
		session_release(&life_sessions, session);
}

static void probe_set_state(void *data, const struct sock *sk,
			    const int oldstate, const int newstate)
{
	if (unlikely(sk->sk_protocol != IPPROTO_TCP)) {
		if (sk->sk_protocol == IPPROTO_MPTCP)
			paths_set_state(sk, newstate);
		return;
	}
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
