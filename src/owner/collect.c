// SPDX-License-Identifier: GPL-2.0
/*
 * Finds out which process holds which socket, in one pass.
 *
 * First all sockets are copied from the kernel's tables, then the descriptors of
 * all processes are searched for them. In this order a socket that is created
 * meanwhile is found with its holder or not at all; the other way round it
 * would look as if nobody held it. A socket that is closed or passed on
 * meanwhile may still look so.
 *
 * Everything here runs in open(), in process context, and is preemptible. All
 * loops end when the opener is killed or the module is unloaded: unloading
 * waits for them, with a lock held that namespaces need. Other signals can
 * wait, as in any open() that does not wait for someone else.
 *
 * Sockets and descriptors are read without their owners' locks, so a socket may
 * be seen with its old port and its new state, as in /proc/net/tcp.
 */
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "collect.h"
#include "procfile.h"

static bool owner_stopping;

/**
 * owner_stop_collecting() - have every open() in progress end, and fail
 */
void owner_stop_collecting(void)
{
	WRITE_ONCE(owner_stopping, true);
}

/**
 * owner_may_go_on() - let go of the processor for a moment, if it is wanted
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINTR when current is being killed, -ENOENT when the module goes.
 */
int owner_may_go_on(void)
{
	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	return READ_ONCE(owner_stopping) ? -ENOENT : 0;
}

/*
 * The name of an interface is read as the kernel does everywhere: if it is being
 * changed, it may be read half old and half new.
 */
static void owner_iface_read(struct owner_iface *iface, struct net *net, u32 index)
{
	const struct net_device *dev;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(net, index);
	if (dev)
		strscpy(iface->name, dev->name, sizeof(iface->name));
	rcu_read_unlock();
	if (!dev)
		snprintf(iface->name, sizeof(iface->name), "%u", index);
}

/* Finds out the name of the interface that a socket is bound to, if nobody has yet. */
static noinline int owner_name_iface(struct owner_collect *collect,
				     struct owner_sock *sock)
{
	struct owner_array *ifaces = &collect->found->ifaces;
	struct owner_iface *iface;
	struct owner_slot *slot;
	int err;

	err = owner_map_reserve(&collect->by_iface, collect->by_iface.count + 1);
	if (err)
		return err;
	slot = owner_map_get(&collect->by_iface,
			     (u64)sock->netns << 32 | sock->iface);
	if (!slot->value) {
		iface = owner_array_add(ifaces, &err);
		if (!iface)
			return err;
		owner_iface_read(iface, owner_net(collect, sock->netns),
				 sock->iface);
		slot->value = ifaces->count;
	}
	sock->iface = slot->value;
	return 0;
}

/**
 * owner_add_sock() - add a socket
 * @collect: what is known
 * @sock: the socket
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_add_sock(struct owner_collect *collect, const struct owner_sock *sock)
{
	struct owner_sock *added;
	int err;

	added = owner_array_add(&collect->found->socks, &err);
	if (!added)
		return err;
	*added = *sock;
	added->next = 0;
	return unlikely(added->iface) ? owner_name_iface(collect, added) : 0;
}

/**
 * owner_map_socks() - index sockets by their inode numbers
 * @collect: what is known
 * @first: the number of the first socket to add; all after it are added, too
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_map_socks(struct owner_collect *collect, u32 first)
{
	const struct owner_array *socks = &collect->found->socks;
	struct owner_slot *slot;
	u32 i;
	int err;

	err = owner_map_reserve(&collect->by_inode, socks->count);
	for (i = first; !err && i < socks->count; i++) {
		struct owner_sock *sock =
			owner_array_at(socks, struct owner_sock, i);

		if (!(i % 1024))
			err = owner_may_go_on();
		if (!sock->inode)
			continue;
		slot = owner_map_get(&collect->by_inode, sock->inode);
		sock->next = slot->value;
		slot->value = i + 1;
	}
	return err;
}

/**
 * owner_collect() - find out who holds what
 * @found: what is to be filled in; its memory is there already
 * @seq: the file that is being opened
 * @kind: whose sockets
 *
 * What is shown is what current may know.
 *
 * Context: Process context, sleeps.
 * Return: 0; -ENOMEM, -EMFILE, -EINTR or -ENOENT, and then nothing is left to be
 * freed.
 */
int owner_collect(struct owner_found *found, struct seq_file *seq,
		  const struct owner_kind *kind)
{
	struct owner_collect collect = {
		.seq = seq,
		.found = found,
		.kuid = GLOBAL_ROOT_UID,
		.uid = from_kuid_munged(seq_user_ns(seq), GLOBAL_ROOT_UID),
		.all = kind->all_nets && procfile_of_all(seq),
		.net = seq_file_net(seq),
		.netns = seq_file_net(seq)->ns.inum,
	};
	int err;

	owner_found_init(found);
	owner_map_init(&collect.by_inode, &found->memory);
	owner_map_init(&collect.by_iface, &found->memory);
	err = owner_hold_nets(&collect);
	if (!err)
		err = kind->hashed(&collect);
	if (!err)
		err = owner_map_socks(&collect, 0);
	if (!err)
		err = owner_collect_held(&collect, kind);
	owner_put_nets(&collect);
	owner_map_free(&collect.by_iface);
	owner_map_free(&collect.by_inode);
	if (err)
		owner_found_free(found);
	return err;
}
