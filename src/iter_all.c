// SPDX-License-Identifier: GPL-2.0
/*
 * The TCP and UDP sockets of all namespaces.
 *
 * As a rule all namespaces share the tables of the first one, and the kernel's own
 * iterators look through all of them for one namespace's sockets. To do that for each
 * of a few hundred namespaces would take as much longer. So these look once, and leave
 * out nothing; whose a socket is the caller sees.
 *
 * They keep their place where the borrowed ones do, and hold the same locks: a bucket's,
 * the listeners' plain, all others with bottom halves off. Between two buckets they hold
 * none.
 */
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "iter.h"

/* How many empty buckets are passed over before other tasks have their turn. */
#define ITER_ALL_TURN	4096

/* The bucket that a TCP iterator is in; NULL behind the last one. */
static struct hlist_nulls_head *iter_all_bucket(struct iter *iter, spinlock_t **lock)
{
	struct inet_hashinfo *hashinfo = net_tcp_hashinfo(iter->all);
	struct tcp_iter_state *st = &iter->tcp;
	struct inet_listen_hashbucket *listeners;

	if (st->state == TCP_SEQ_STATE_LISTENING) {
		listeners = tcp_listen_bucket(hashinfo, st->bucket);
		if (listeners) {
			*lock = &listeners->lock;
			return &listeners->nulls_head;
		}
		st->state = TCP_SEQ_STATE_ESTABLISHED;
		st->bucket = 0;
	}
	if (st->bucket > hashinfo->ehash_mask)
		return NULL;
	*lock = inet_ehash_lockp(hashinfo, st->bucket);
	return &hashinfo->ehash[st->bucket].chain;
}

static void iter_all_unlock_tcp(struct iter *iter)
{
	spinlock_t *lock;	/* the bucket's */

	iter_all_bucket(iter, &lock);
	/* Taken in iter_all_seek_tcp(), which sparse can't see. */
	__acquire(lock);
	if (iter->tcp.state == TCP_SEQ_STATE_LISTENING)
		spin_unlock(lock);
	else
		spin_unlock_bh(lock);
}

/* The first socket of this bucket or the next one that has any, with its lock held. */
static struct sock *iter_all_seek_tcp(struct iter *iter)
{
	struct hlist_nulls_head *head;
	struct sock *sk;
	spinlock_t *lock;	/* the bucket's */

	for (; (head = iter_all_bucket(iter, &lock)); iter->tcp.bucket++) {
		if (!(iter->tcp.bucket % ITER_ALL_TURN))
			cond_resched();
		if (hlist_nulls_empty(head))
			continue;
		if (iter->tcp.state == TCP_SEQ_STATE_LISTENING)
			spin_lock(lock);
		else
			spin_lock_bh(lock);
		__release(lock);
		sk = sk_nulls_head(head);
		if (sk)
			return sk;
		iter_all_unlock_tcp(iter);
	}
	return NULL;
}

static struct udp_hslot *iter_all_slot(struct seq_file *seq)
{
	const struct iter *iter = seq->private;
	struct udp_table *table = udp_seq_table(seq, iter->all);

	return iter->udp.bucket <= table->mask ? &table->hash[iter->udp.bucket] : NULL;
}

/* As iter_all_seek_tcp(). */
static struct sock *iter_all_seek_udp(struct seq_file *seq)
{
	struct iter *iter = seq->private;
	struct udp_hslot *slot;

	for (; (slot = iter_all_slot(seq)); iter->udp.bucket++) {
		if (!(iter->udp.bucket % ITER_ALL_TURN))
			cond_resched();
		if (hlist_empty(&slot->head))
			continue;
		spin_lock_bh(&slot->lock);
		if (!hlist_empty(&slot->head)) {
			__release(&slot->lock);
			return sk_head(&slot->head);
		}
		spin_unlock_bh(&slot->lock);
	}
	return NULL;
}

/* These are what their namesakes in a seq_file's operations are. */

void *iter_all_next_tcp(struct seq_file *seq, void *v, loff_t *pos)
{
	struct iter *iter = seq->private;
	struct sock *sk = sk_nulls_next(v);

	if (sk)
		return sk;
	iter_all_unlock_tcp(iter);
	iter->tcp.bucket++;
	return iter_all_seek_tcp(iter);
}

void iter_all_stop_tcp(struct seq_file *seq, void *v)
{
	if (v)
		iter_all_unlock_tcp(seq->private);
}

void *iter_all_next_udp(struct seq_file *seq, void *v, loff_t *pos)
{
	struct iter *iter = seq->private;
	struct sock *sk = sk_next(v);

	if (sk)
		return sk;
	iter_all_stop_udp(seq, v);
	iter->udp.bucket++;
	return iter_all_seek_udp(seq);
}

void iter_all_stop_udp(struct seq_file *seq, void *v)
{
	struct udp_hslot *slot = v ? iter_all_slot(seq) : NULL;

	if (!slot)
		return;
	__acquire(&slot->lock);
	spin_unlock_bh(&slot->lock);
}

/**
 * iter_all_start() - go to the row at a place, or, where that has gone, to the next
 * @iter: the iterator's state
 * @seq: the file whose private data that begins
 * @proto: the protocol
 * @place: the place
 *
 * Context: Process context, may sleep. With a bucket's lock held afterwards, unless
 * there is no row.
 * Return: the row's socket, or NULL.
 */
void *iter_all_start(struct iter *iter, struct seq_file *seq, enum iter_proto proto,
		     const struct iter_place *place)
{
	int offset = place->offset;
	struct sock *sk;

	if (proto == ITER_UDP) {
		iter->udp.bucket = place->bucket;
		sk = iter_all_seek_udp(seq);
		while (sk && offset-- && iter->udp.bucket == place->bucket)
			sk = iter_all_next_udp(seq, sk, NULL);
		return sk;
	}
	iter->tcp.state = place->state;
	iter->tcp.bucket = place->bucket;
	sk = iter_all_seek_tcp(iter);
	while (sk && offset-- && iter->tcp.bucket == place->bucket &&
	       iter->tcp.state == place->state)
		sk = iter_all_next_tcp(seq, sk, NULL);
	return sk;
}

/**
 * iter_all_begin() - where the sockets begin that are in a namespace's own tables
 * @seq: the file
 * @proto: the protocol
 * @net: the namespace
 * @place: set to the place; listeners are always in the first namespace's table
 *
 * Return: false if its sockets are all in the tables of the first namespace.
 */
bool iter_all_begin(struct seq_file *seq, enum iter_proto proto, struct net *net,
		    struct iter_place *place)
{
	*place = (struct iter_place){};
	if (proto == ITER_UDP)
		return udp_seq_table(seq, net) != udp_seq_table(seq, &init_net);
	place->state = TCP_SEQ_STATE_ESTABLISHED;
	return net_tcp_hashinfo(net) != net_tcp_hashinfo(&init_net);
}
