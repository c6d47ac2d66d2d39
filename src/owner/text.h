/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a row of sockowner is written. Pure code: no socket, no lock, any context.
 */
#ifndef KNETSTAT_OWNER_TEXT_H
#define KNETSTAT_OWNER_TEXT_H

#include "found.h"
#include "front.h"

/* CGROUP and NETNS at their widest, each with a blank. */
#define OWNER_SCOPE_MAX	(FIELD_U64_MAX + 1 + 10 + 1)

/**
 * struct owner_writer - what owner_row_write() wrote before
 * @front: the columns that a row begins with
 * @found: where the rows are from
 * @cgroup: the last socket's cgroup
 * @netns: and its namespace
 * @scope: these two as they were written
 * @scope_length: how much of @scope that is; 0 at first
 */
struct owner_writer {
	struct owner_front front;
	const struct owner_found *found;
	u64 cgroup;
	u32 netns;
	unsigned int scope_length;
	char scope[OWNER_SCOPE_MAX];
};

/* What owner_row_write() may store, the widest row and FIELD_SLACK included. */
#define OWNER_ROW_MAX	448

extern const char owner_header[];

char *owner_row_write(struct owner_writer *writer, char *p,
		      const struct owner_row *row);
char *owner_write(const struct owner_found *found, struct owner_cursor *cursor,
		  unsigned int count, char *p);

#endif /* KNETSTAT_OWNER_TEXT_H */
