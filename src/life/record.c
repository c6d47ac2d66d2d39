// SPDX-License-Identifier: GPL-2.0
/*
 * What is recorded. The probes write it, the files read it.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "paths.h"
#include "record.h"

/* Written at every session's end, by its own lines: see struct ring. */
struct ring life_ring;
/* Read at every change of state. */
struct session_table life_sessions __ro_after_init;

struct ports life_ports;
/* Against the end of namespaces, while many rows of the counters are read. */
DEFINE_MUTEX(life_ports_mutex);

static unsigned int record_net_id __ro_after_init;

/**
 * view_of() - the view of a namespace
 * @net: the namespace
 *
 * Context: Any, while there can be sockets of it.
 * Return: the view.
 */
struct view *view_of(const struct net *net)
{
	return net_generic(net, record_net_id);
}

/**
 * record_row() - record a session that has ended
 * @view: the view of its namespace
 * @row: the session
 *
 * Context: Any but NMI.
 */
void record_row(struct view *view, const struct life_row *row)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&life_ring.lock, flags);
	ring_write(&life_ring, row, &view->recorded);
	/*
	 * What ends when its namespace does must not be counted for that. Interrupts
	 * are off: a grace period waits for this. See record-leave.litmus.
	 */
	ports_count(&life_ports,
		    READ_ONCE(view->closing) ? &view_all.ports : &view->ports,
		    &view_all.ports, row);
	raw_spin_unlock_irqrestore(&life_ring.lock, flags);
	view_wake(view);
}

/*
 * Leaves the counters of a namespace to the view of all: after a grace period since
 * it is closing, when nothing is counted for it any more.
 */
static void record_leave_ports(struct view *view)
{
	unsigned int i;
	u64 key;

	if (!view->ports.rows[LIFE_ROLE_CONN] && !view->ports.rows[LIFE_ROLE_ACPT])
		return;
	mutex_lock(&life_ports_mutex);
	for (i = 0; i < READ_ONCE(life_ports.used); i++) {
		key = READ_ONCE(life_ports.rows[i].key);
		if (!key || port_key_view(key) != view->id)
			continue;
		raw_spin_lock_irq(&life_ring.lock);
		ports_leave(&life_ports, i, &view->ports, &view_all.ports);
		raw_spin_unlock_irq(&life_ring.lock);
		cond_resched();
	}
	mutex_unlock(&life_ports_mutex);
}

static int __net_init record_net_init(struct net *net)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);

	return view_init(view_of(net), atomic64_inc_return(&last_id),
			 net->ns.inum);
}

static void __net_exit record_net_pre_exit(struct net *net)
{
	view_pre_exit(view_of(net));
}

static void __net_exit record_net_exit(struct net *net)
{
	record_leave_ports(view_of(net));
	view_exit(view_of(net));
}

static struct pernet_operations record_net_ops = {
	.init = record_net_init,
	.pre_exit = record_net_pre_exit,
	.exit = record_net_exit,
	.id = &record_net_id,
	.size = sizeof(struct view),
};

/**
 * record_init() - make room for what is recorded
 * @records: rows of the ring, a power of two
 * @sessions: live sessions, a power of two
 * @ports: rows of counters
 *
 * Context: Process context, at load.
 * Return: 0, or a negative error.
 */
int __init record_init(unsigned int records, unsigned int sessions,
		       unsigned int ports)
{
	int err;

	err = views_init();
	if (err)
		return err;
	err = ring_init(&life_ring, records);
	if (err)
		goto err_ring;
	err = ports_init(&life_ports, ports);
	if (err)
		goto err_ports;
	err = session_table_init(&life_sessions, sessions);
	if (err)
		goto err_sessions;
	err = paths_init(sessions);
	if (err)
		goto err_paths;
	err = register_pernet_subsys(&record_net_ops);
	if (err)
		goto err_pernet;
	return 0;

err_pernet:
	paths_exit();
err_paths:
	session_table_exit(&life_sessions);
err_sessions:
	ports_exit(&life_ports);
err_ports:
	ring_exit(&life_ring);
err_ring:
	views_exit();
	return err;
}

/**
 * record_exit() - forget what was recorded
 *
 * Context: Process context, when nobody writes it and no file is left to read
 * it by. When it returns nobody waits for it either.
 */
void record_exit(void)
{
	views_unload();
	unregister_pernet_subsys(&record_net_ops);
	paths_exit();
	session_table_exit(&life_sessions);
	ports_exit(&life_ports);
	ring_exit(&life_ring);
	views_exit();
}
