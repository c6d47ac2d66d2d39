/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_STAT_SOCKOPT_H
#define KNETSTAT_STAT_SOCKOPT_H

#include "options.h"
#include "row.h"

void sockopt_tcp(struct options *opts, struct sock *sk,
		 const struct row_reader *reader);
void sockopt_udp(struct options *opts, struct sock *sk,
		 const struct row_reader *reader);

#endif /* KNETSTAT_STAT_SOCKOPT_H */
