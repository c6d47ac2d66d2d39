// SPDX-License-Identifier: GPL-2.0
/*
 * A row of the four tables. See row.h.
 */
#include <linux/user_namespace.h>

#include "field.h"
#include "row.h"

/**
 * row_uids_init() - forget all owners
 * @reader: the reader
 */
void row_uids_init(struct row_reader *reader)
{
	unsigned int i;

	/* A UID that belongs in another slot, so that no lookup matches. */
	for (i = 0; i < ROW_UIDS; i++)
		reader->uids[i].uid = KUIDT_INIT(i + 1);
}

/**
 * row_uid_miss() - make the text of an owner
 * @reader: the reader, in whose terms it is
 * @cached: where it is kept
 * @uid: the owner
 */
void row_uid_miss(struct row_reader *reader, struct row_uid *cached, kuid_t uid)
{
	char *end;

	end = field_right(cached->text, cached->text + ROW_UID_WIDTH,
			  from_kuid_munged(reader->user_ns, uid));
	cached->uid = uid;
	cached->length = end - cached->text;
}
