// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses a session: the process that reads from it, the one that accepted it.
 *
 * Both are asked where they act, with the socket locked by them: so what is said
 * in session.h holds. What a kernel does not have is done without: then less is
 * known, and all else works.
 */
#include <linux/kprobes.h>
#include <linux/tracepoint.h>
#include <net/inet_sock.h>
#include <net/tcp.h>
#include <trace/events/tcp.h>

#include "compat.h"
#include "knetstat.h"
#include "paths.h"
#include "record.h"
#include "task.h"
#include "use.h"

static struct tracepoint *use_tracepoint;

/* It is most likely the process, and the name, that it was before. */
static noinline void use_read_by(struct session *session, u64 read)
{
	session->read = use_mark(read);
	if (session->by != LIFE_BY_USE || !life_task_is(&session->task))
		life_session_name(session, LIFE_BY_USE);
}

/*
 * A process reads from a socket. The tracepoint is passed for each segment that
 * was copied to it; and for each that MSG_PEEK has shown, when no more has been
 * read than before.
 *
 * A session whose program has read much is left alone: that much is known then,
 * and to look for its session each time would be felt.
 */
static void use_rcv_space_adjust(void *data, struct sock *sk)
{
	u64 read = use_bytes_read(sk);
	struct session *session;

	if (likely(read > SESSION_READ_MAX))
		return;
	session = session_find(&life_sessions, sk);
	if (session && session->read != use_mark(read) && life_owner_acts())
		use_read_by(session, read);
}

#if defined(CONFIG_KPROBES) && defined(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API)
/* A process accepts a connection, and gives it a struct socket. */
static int use_graft(struct kprobe *kprobe, struct pt_regs *regs)
{
	const struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	struct session *session;

	if (!life_accepter_acts())
		return 0;
	if (unlikely(sk->sk_protocol == IPPROTO_MPTCP)) {
		paths_accept(sk);
		return 0;
	}
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	session = session_find(&life_sessions, sk);
	if (session && session->by < LIFE_BY_ACCEPT)
		life_session_name(session, LIFE_BY_ACCEPT);
	return 0;
}

/* sock_graft() is inlined, and says this when it is done. */
static struct kprobe use_kprobe = {
	.symbol_name = "security_sock_graft",
	.pre_handler = use_graft,
};

static int __init use_kprobe_init(void)
{
	return register_kprobe(&use_kprobe);
}

static void use_kprobe_exit(void)
{
	unregister_kprobe(&use_kprobe);
}
#else
static int __init use_kprobe_init(void)
{
	return -EOPNOTSUPP;
}

static void use_kprobe_exit(void)
{
}
#endif

static bool use_has_kprobe __ro_after_init;

static void __init use_find(struct tracepoint *tp, void *name)
{
	if (!strcmp(tp->name, name))
		use_tracepoint = tp;
}

/**
 * use_init() - begin to watch who uses sessions
 *
 * Says in the kernel log what this kernel does not have.
 *
 * Context: Process context, at load, when the table is there.
 */
void __init use_init(void)
{
	static char name[] __initdata = "tcp_rcv_space_adjust";
	int err = -ENOENT;

	/* Fails to compile where the tracepoint passes other arguments. */
	check_trace_callback_type_tcp_rcv_space_adjust(use_rcv_space_adjust);

	for_each_kernel_tracepoint(use_find, name);
	if (use_tracepoint)
		err = tracepoint_probe_register(use_tracepoint,
						use_rcv_space_adjust, NULL);
	if (err) {
		use_tracepoint = NULL;
		pr_info("cannot see who reads from a session: error %d\n", err);
	}
	err = use_kprobe_init();
	use_has_kprobe = !err;
	if (err)
		pr_info("cannot see who accepts a session: error %d\n", err);
}

/**
 * use_exit() - watch no more
 *
 * Context: Process context. When it returns nothing of this file runs.
 */
void use_exit(void)
{
	if (use_has_kprobe)
		use_kprobe_exit();
	if (use_tracepoint)
		tracepoint_probe_unregister(use_tracepoint,
					    use_rcv_space_adjust, NULL);
	tracepoint_synchronize_unregister();
}
