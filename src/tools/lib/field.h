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

/* One of a few names of less than eight bytes, to be compared at once. */
union name {
	char text[8];
	u64 bytes;
};

static inline const char *take_name(const char *p, union name *name)
{
	const u64 blanks = 0x2020202020202020ULL, low = 0x7f7f7f7f7f7f7f7fULL;
	u64 bytes, others, stops;

	memcpy(&bytes, p, sizeof(bytes));
	bytes = le64toh(bytes);
	/* High bits are set in bytes that are neither a blank nor the end of the line. */
	others = bytes ^ blanks;
	others = ((others & low) + low) | others;
	stops = bytes ^ 0x0a0a0a0a0a0a0a0aULL;
	stops = ((stops & low) + low) | stops;
	stops = ~(others & stops) & ~low;
	/* Longer than any name, or nothing at all. */
	if (!stops || stops & 0x80)
		return NULL;
	stops = __builtin_ctzll(stops) / 8;
	name->bytes = htole64(bytes & ((1ULL << (8 * stops)) - 1));
	return p + stops;
}

static inline bool field_ends(const char *p)
{
	return p && (*p == ' ' || *p == '\n');
}

bool unescape(struct word field, struct word *bytes);

#endif /* KNETSTAT_TOOLS_FIELD_H */
