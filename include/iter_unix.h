/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own /proc/net/unix iterator, borrowed.
 */
#ifndef KNETSTAT_ITER_UNIX_H
#define KNETSTAT_ITER_UNIX_H

#include <linux/seq_file.h>
#include <linux/types.h>

struct sock;

int iter_unix_init(void);
bool iter_unix_batch(struct seq_file *seq, loff_t *place, char **pos, const char *full,
		     char *(*write)(char *p, struct sock *sk, void *arg), void *arg);

#endif /* KNETSTAT_ITER_UNIX_H */
