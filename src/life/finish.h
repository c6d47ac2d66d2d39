/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of a session: what is seen of its socket, and the row it makes.
 */
#ifndef KNETSTAT_LIFE_FINISH_H
#define KNETSTAT_LIFE_FINISH_H

#include <net/sock.h>

#include "end.h"
#include "session.h"

void life_close_fill_bytes(struct life_close *close, const struct sock *sk,
			   int state);
void life_close_fill(struct life_close *close, const struct sock *sk,
		     const struct session *session, int state);
void life_row_fill(struct life_row *row, const struct sock *sk,
		   const struct session *session,
		   const struct life_close *close, u64 now_us);
void life_finish(const struct sock *sk, const struct session *session,
		 const struct life_close *close);

#endif /* KNETSTAT_LIFE_FINISH_H */
