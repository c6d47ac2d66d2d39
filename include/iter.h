/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Iterators over the TCP and UDP sockets: the kernel's own of /proc/net/{tcp,udp},
 * borrowed, which show one namespace's; and one that shows all namespaces'.
 */
#ifndef KNETSTAT_ITER_H
#define KNETSTAT_ITER_H

#include <linux/seq_file.h>
#include <net/tcp.h>
#include <net/udp.h>

/**
 * struct iter - the state of an iterator; seq->private begins with it
 * @p: the namespace, where seq_file_net() looks for it
 * @tcp: what tcp_seq_start() and its kin keep there
 * @udp: what udp_seq_start() and its kin keep there
 * @all: NULL; or not to borrow but to walk this namespace's tables, for the sockets
 *	of all namespaces that are there. Held by whoever sets it
 *
 * Owned by one open file, touched only under its seq_file's mutex.
 */
struct iter {
	union {
		struct seq_net_private	p;
		struct tcp_iter_state	tcp;
		struct udp_iter_state	udp;
	};
	struct net *all;
};

/**
 * struct iter_place - a row's place in the hash tables
 * @state: the TCP table it is in, an enum tcp_seq_states; 0 for UDP
 * @bucket: the bucket there
 * @offset: the rows of this reader's that come before it in that bucket
 *
 * The place before the first row is all zeros: TCP_SEQ_STATE_LISTENING is 0.
 */
struct iter_place {
	u8 state;
	int bucket;
	int offset;
};

static inline bool iter_place_first(const struct iter_place *place)
{
	return !place->state && !place->bucket && !place->offset;
}

/**
 * union iter_afinfo - what the iterators look for in a proc file's data
 * @tcp: for TCP
 * @udp: for UDP
 *
 * A proc file that is read through a borrowed iterator must have this as the
 * beginning of what pde_data() returns.
 */
union iter_afinfo {
	struct tcp_seq_afinfo tcp;
	struct udp_seq_afinfo udp;
};

/**
 * struct iter_ops - an iterator
 * @start: as in struct seq_operations, as the others
 * @next: goes to the next row
 * @stop: drops the lock that is held at a row
 */
struct iter_ops {
	void *(*start)(struct seq_file *seq, loff_t *pos);
	void *(*next)(struct seq_file *seq, void *v, loff_t *pos);
	void (*stop)(struct seq_file *seq, void *v);
};

enum iter_proto { ITER_TCP, ITER_UDP, ITER_PROTOS };

int iter_borrow(const char *path, struct iter_ops *ops, struct udp_seq_afinfo *afinfo);
int iter_init(void);
void iter_afinfo_init(union iter_afinfo *afinfo, enum iter_proto proto,
		      sa_family_t family);
bool iter_batch_of(struct seq_file *seq, enum iter_proto proto,
		   struct iter_place *place, char **pos, const char *full,
		   bool (*wanted)(const struct sock *sk),
		   char *(*write)(char *p, struct sock *sk, void *arg), void *arg);

bool iter_all_begin(struct seq_file *seq, enum iter_proto proto, struct net *net,
		    struct iter_place *place);

/* For iter.c. */
void *iter_all_start(struct iter *iter, struct seq_file *seq, enum iter_proto proto,
		     const struct iter_place *place);
void *iter_all_next_tcp(struct seq_file *seq, void *v, loff_t *pos);
void *iter_all_next_udp(struct seq_file *seq, void *v, loff_t *pos);
void iter_all_stop_tcp(struct seq_file *seq, void *v);
void iter_all_stop_udp(struct seq_file *seq, void *v);

/**
 * iter_batch() - write as many rows as fit
 * @seq: as in iter_batch_of(), and all others
 * @proto: the protocol
 * @place: where to begin
 * @pos: where to write
 * @full: the last place to begin a row at
 * @write: writes a row
 * @arg: for @write
 *
 * Context: Process context, may sleep.
 * Return: whether that was the last batch.
 */
static inline bool iter_batch(struct seq_file *seq, enum iter_proto proto,
			      struct iter_place *place, char **pos,
			      const char *full,
			      char *(*write)(char *p, struct sock *sk, void *arg),
			      void *arg)
{
	return iter_batch_of(seq, proto, place, pos, full, NULL, write, arg);
}

#endif /* KNETSTAT_ITER_H */
