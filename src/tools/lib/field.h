/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fields of a row.
 *
 * A function that takes a field begins at its first byte and returns where it
 * ends, or NULL if it is not of that kind. It never goes past the end of the
 * line, and only accepts printable ASCII.
 */
#ifndef KNETSTAT_TOOLS_FIELD_H
#define KNETSTAT_TOOLS_FIELD_H

#include <endian.h>

#include "text.h"

static inline const char *take_word(const char *p, struct word *word)
{
	word->at = p;
	while ((unsigned char)(*p - '!') <= '~' - '!')
		p++;
	word->len = p - word->at;
	return word->len ? p : NULL;
}

static inline const char *take_number(const char *p, u64 *number)
{
	const char *begin = p;
	unsigned int digit;
	u64 n = 0;

	while ((digit = *p - '0') <= 9) {
		n = n * 10 + digit;
		p++;
	}
	*number = n;
	/* More digits might not fit; nothing that we count is so large. */
	return p > begin && p - begin <= 19 ? p : NULL;
}

static inline const char *skip_blanks(const char *p)
{
	u64 others;

	/* Eight bytes at once, the first one lowest: those that are no blanks. */
	for (;; p += sizeof(others)) {
		memcpy(&others, p, sizeof(others));
		others = le64toh(others) ^ 0x2020202020202020ULL;
		if (others)
			return p + __builtin_ctzll(others) / 8;
	}
}

static inline bool field_ends(const char *p)
{
	return p && (*p == ' ' || *p == '\n');
}

bool unescape(struct word field, struct word *bytes);

#endif /* KNETSTAT_TOOLS_FIELD_H */
