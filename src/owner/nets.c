// SPDX-License-Identifier: GPL-2.0
/*
 * The namespaces whose sockets are shown: that of the file, or all.
 *
 * All are those that there were at first. Each is held from then until all has been
 * collected, so that none ends in the middle and is shown by half; and one that is ending
 * already, or begins later, is left out whole.
 *
 * To let go of one may end it. That is left to a worker, which waits for an unloading
 * module; the module's unloading waits for open(), and open() for neither: so there is
 * no circle.
 */
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>

#include "collect.h"

/* As many namespaces as are taken at once. */
#define OWNER_NETS	64

/* Adds a namespace, which is held. */
static int owner_add_net(struct owner_collect *collect, struct net *net)
{
	struct net **added;
	int err;

	added = owner_array_add(&collect->nets, &err);
	if (!added) {
		put_net(net);
		return err;
	}
	*added = net;
	err = owner_map_reserve(&collect->by_netns, collect->nets.count);
	if (!err)
		owner_map_get(&collect->by_netns, net->ns.inum)->value =
			collect->nets.count;
	return err;
}

/*
 * Takes the next namespaces of the list, after @net, which is held: so it stays there,
 * and what follows it can be found again. New ones come to the end of the list.
 */
static unsigned int owner_next_nets(struct net *net, struct net **nets)
{
	unsigned int count = 0;

	rcu_read_lock();
	list_for_each_entry_continue_rcu(net, &net_namespace_list, list) {
		nets[count] = maybe_get_net(net);
		if (nets[count] && ++count == OWNER_NETS)
			break;
	}
	rcu_read_unlock();
	return count;
}

/**
 * owner_hold_nets() - hold the namespaces whose sockets are shown
 * @collect: what is known
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error. owner_put_nets() is to be called either way.
 */
int owner_hold_nets(struct owner_collect *collect)
{
	struct net *nets[OWNER_NETS], *last = &init_net;
	unsigned int count, i;
	int err;

	owner_array_init(&collect->nets, &collect->found->memory, struct net *);
	owner_map_init(&collect->by_netns, &collect->found->memory);
	if (!collect->all)
		return 0;
	/* The first of the list, and it stays. */
	err = owner_add_net(collect, get_net(&init_net));
	while (!err && (count = owner_next_nets(last, nets))) {
		last = nets[count - 1];
		for (i = 0; i < count; i++) {
			if (err)
				put_net(nets[i]);
			else
				err = owner_add_net(collect, nets[i]);
		}
		err = err ?: owner_may_go_on();
	}
	return err;
}

/**
 * owner_put_nets() - let go of them
 * @collect: what is known
 *
 * Context: Process context, may sleep.
 */
void owner_put_nets(struct owner_collect *collect)
{
	unsigned long i;

	for (i = 0; i < collect->nets.count; i++) {
		put_net(*owner_array_at(&collect->nets, struct net *, i));
		cond_resched();
	}
	owner_map_free(&collect->by_netns);
	owner_array_free(&collect->nets);
}

/**
 * owner_net() - the namespace that has a number
 * @collect: what is known
 * @netns: the number of one whose sockets are shown
 *
 * Context: Any.
 * Return: the namespace.
 */
struct net *owner_net(const struct owner_collect *collect, u32 netns)
{
	const struct owner_slot *slot;

	if (!collect->all)
		return collect->net;
	slot = owner_map_find(&collect->by_netns, netns);
	return *owner_array_at(&collect->nets, struct net *, slot->value - 1);
}

/**
 * owner_enter_net() - have the next socket be of another namespace
 * @collect: what is known
 * @net: the namespace, which is not freed meanwhile; only to be compared, if it is not
 *	one of those that are held
 *
 * Context: Any.
 * Return: false if its sockets are not shown.
 */
bool owner_enter_net(struct owner_collect *collect, const struct net *net)
{
	const u32 netns = net->ns.inum;
	const struct owner_slot *slot;
	struct net *held;

	if (!collect->all)
		return false;
	slot = owner_map_find(&collect->by_netns, netns);
	if (!slot)
		return false;
	/* One that ends may have had the number before. */
	held = *owner_array_at(&collect->nets, struct net *, slot->value - 1);
	if (!net_eq(held, net))
		return false;
	collect->net = held;
	collect->netns = netns;
	return true;
}
