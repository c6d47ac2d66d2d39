/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own /proc/net/{tcp,udp} iterators, borrowed.
 */
#ifndef KNETSTAT_ITER_H
#define KNETSTAT_ITER_H

#include <linux/seq_file.h>
#include <net/tcp.h>
#include <net/udp.h>

/**
 * struct iter - the state of a borrowed iterator; seq->private begins with it
 * @p: the namespace, where seq_file_net() looks for it
 * @tcp: what tcp_seq_start() and its kin keep there
 * @udp: what udp_seq_start() and its kin keep there
 *
 * Owned by one open file, touched only under its seq_file's mutex.
 */
struct iter {
	union {
		struct seq_net_private	p;
		struct tcp_iter_state	tcp;
		struct udp_iter_state	udp;
	};
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

enum iter_proto { ITER_TCP, ITER_UDP, ITER_PROTOS };

int iter_init(void);
void iter_afinfo_init(union iter_afinfo *afinfo, enum iter_proto proto,
		      sa_family_t family);
void *iter_start(struct seq_file *seq, enum iter_proto proto,
		 const struct iter_place *place);
void *iter_next(struct seq_file *seq, enum iter_proto proto, void *v);
void iter_stop(struct seq_file *seq, enum iter_proto proto, void *v);

/**
 * iter_same_bucket() - whether the iterator still is in the bucket of a place
 * @iter: the state, after iter_start() or iter_next() returned a row
 * @proto: the protocol
 * @place: the place
 *
 * Return: whether it is.
 */
static inline bool iter_same_bucket(const struct iter *iter,
				    enum iter_proto proto,
				    const struct iter_place *place)
{
	if (proto == ITER_TCP)
		return iter->tcp.bucket == place->bucket &&
		       iter->tcp.state == place->state;
	return iter->udp.bucket == place->bucket;
}

/**
 * iter_bucket() - the place of the first row of the bucket that the iterator is in
 * @iter: the state, after iter_start() or iter_next() returned a row
 * @proto: the protocol
 *
 * Return: the place.
 */
static inline struct iter_place iter_bucket(const struct iter *iter,
					    enum iter_proto proto)
{
	if (proto == ITER_TCP)
		return (struct iter_place){
			.state = iter->tcp.state,
			.bucket = iter->tcp.bucket,
		};
	return (struct iter_place){ .bucket = iter->udp.bucket };
}

#endif /* KNETSTAT_ITER_H */
