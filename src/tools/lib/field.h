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
	const u64 ones = 0x0101010101010101ULL, high = 0x80 * ones;
	u64 bytes, stops;

	word->at = p;
	/*
	 * Eight bytes at once, the first one lowest. High bits are set where a byte
	 * is below '!', above '~' or not ASCII; those behind the first one that is
	 * may be wrong.
	 */
	for (;; p += sizeof(bytes)) {
		memcpy(&bytes, p, sizeof(bytes));
		bytes = le64toh(bytes);
		stops = (((bytes - '!' * ones) & ~bytes) | bytes |
			 (bytes + ones)) & high;
		if (stops)
			break;
	}
	p += __builtin_ctzll(stops) / 8;
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
