/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The owners of sockets: which process holds which, at one moment.
 */
#ifndef KNETSTAT_OWNER_COLLECT_H
#define KNETSTAT_OWNER_COLLECT_H

#include <linux/seq_file.h>

#include "rows.h"

int owner_collect(struct owner_rows *rows, struct seq_file *seq);

#endif /* KNETSTAT_OWNER_COLLECT_H */
