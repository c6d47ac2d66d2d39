/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a row of unixowner is written. Pure code: no socket, no lock, any context.
 */
#ifndef KNETSTAT_OWNER_UNIXTEXT_H
#define KNETSTAT_OWNER_UNIXTEXT_H

#include "found.h"
#include "front.h"

/* What owner_unix_row_write() may store, the widest row and FIELD_SLACK included. */
#define OWNER_UNIX_ROW_MAX	768

extern const char owner_unix_header[];

char *owner_unix_row_write(const struct owner_found *found, struct owner_front *front,
			   char *p, const struct owner_row *row);
char *owner_unix_write(const struct owner_found *found, struct owner_cursor *cursor,
		       unsigned int count, char *p);

#endif /* KNETSTAT_OWNER_UNIXTEXT_H */
