// SPDX-License-Identifier: GPL-2.0
/*
 * Field writers: the parts too large to inline. See field.h.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <net/addrconf.h>
#include <net/ipv6.h>

#include "field.h"

/* The digits of an octet, then a dot; its length is known from its value. */
#define OCTET(n) {							\
	'0' + ((n) >= 100 ? (n) / 100 : (n) >= 10 ? (n) / 10 : (n)),	\
	(n) >= 100 ? '0' + (n) / 10 % 10 : (n) >= 10 ? '0' + (n) % 10 : '.', \
	(n) >= 100 ? '0' + (n) % 10 : '.',				\
	'.',								\
}
#define OCTETS4(n)  OCTET(n), OCTET((n) + 1), OCTET((n) + 2), OCTET((n) + 3)
#define OCTETS16(n) \
	OCTETS4(n), OCTETS4((n) + 4), OCTETS4((n) + 8), OCTETS4((n) + 12)
#define OCTETS64(n) \
	OCTETS16(n), OCTETS16((n) + 16), OCTETS16((n) + 32), OCTETS16((n) + 48)

const char field_octets[256][4] = {
	OCTETS64(0), OCTETS64(64), OCTETS64(128), OCTETS64(192),
};

const u8 field_octet_len[256] = {
	[0 ... 9] = 2, [10 ... 99] = 3, [100 ... 255] = 4,
};

static const char pairs[200] =
	"00010203040506070809" "10111213141516171819"
	"20212223242526272829" "30313233343536373839"
	"40414243444546474849" "50515253545556575859"
	"60616263646566676869" "70717273747576777879"
	"80818283848586878889" "90919293949596979899";

static unsigned int dec_length(u32 v)
{
	if (v < 10000)
		return v < 100 ? 1 + (v >= 10) : 3 + (v >= 1000);
	if (v < 100000000)
		return v < 1000000 ? 5 + (v >= 100000) : 7 + (v >= 10000000);
	return 9 + (v >= 1000000000);
}

/* Writes @v so that its last digit lands before @end. */
static void dec_backwards(char *end, u32 v)
{
	while (v >= 100) {
		u32 rest = v / 100;

		end -= 2;
		memcpy(end, pairs + 2 * (v - rest * 100), 2);
		v = rest;
	}
	if (v >= 10)
		memcpy(end - 2, pairs + 2 * v, 2);
	else
		end[-1] = '0' + v;
}

/**
 * field_dec() - write an unsigned decimal number of any size
 * @p: where to write
 * @v: the number
 *
 * field_u64() is the one to call: it does small numbers in line.
 *
 * Return: the byte after the last digit.
 */
char *field_dec(char *p, u64 v)
{
	u32 low;
	char *end;

	if (likely(v <= U32_MAX)) {
		end = p + dec_length(v);
		dec_backwards(end, v);
		return end;
	}
	/* Nine digits at a time, each with its leading zeros. */
	v = div_u64_rem(v, 1000000000, &low);
	end = field_dec(p, v);
	memset(end, '0', 9);
	end += 9;
	dec_backwards(end, low);
	return end;
}

static char *put_hex16(char *p, u16 v)
{
	static const char hex[] = "0123456789abcdef";

	if (v >= 0x1000)
		*p++ = hex[v >> 12];
	if (v >= 0x100)
		*p++ = hex[v >> 8 & 15];
	if (v >= 0x10)
		*p++ = hex[v >> 4 & 15];
	*p++ = hex[v & 15];
	return p;
}

/**
 * field_ipv6() - write an IPv6 address as %pI6c does
 * @p: where to write
 * @addr: the address
 *
 * RFC 5952: lower case, no leading zeros, the first of the longest runs of two
 * or more zero groups shortened to "::". Like %pI6c, the last four bytes of a
 * v4-mapped and of an ISATAP address are written as a dotted quad.
 *
 * Return: the byte after the last character.
 */
char *field_ipv6(char *p, const struct in6_addr *addr)
{
	bool quad = ipv6_addr_v4mapped(addr) || ipv6_addr_is_isatap(addr);
	int groups = quad ? 6 : 8;
	int run_at = -1, run_len = 1;
	int i, len = 0;

	for (i = 0; i < groups; i++) {
		len = addr->s6_addr16[i] ? 0 : len + 1;
		if (len > run_len) {
			run_len = len;
			run_at = i + 1 - len;
		}
	}

	for (i = 0; i < groups; i++) {
		if (i == run_at) {
			*p++ = ':';
			*p++ = ':';
			i += run_len - 1;
			continue;
		}
		if (i && i != run_at + run_len)
			*p++ = ':';
		p = put_hex16(p, ntohs(addr->s6_addr16[i]));
	}
	if (!quad)
		return p;
	/* The group before is ffff or 5efe, so no "::" has just been written. */
	*p++ = ':';
	return field_ipv4(p, addr->s6_addr32[3]);
}

/**
 * field_text() - write a text that somebody else chose
 * @p: where to write
 * @text: the text
 * @max: the most bytes of it to look at; it may end earlier, with a NUL
 * @also: a character to escape besides, such as the comma of a list, or NUL
 *
 * Whatever could break a field or a terminal becomes \ooo: blanks, backslashes
 * and all that is not printable ASCII. So up to four bytes are written for each
 * byte of @text.
 *
 * Return: the byte after the last character.
 */
char *field_text(char *p, const char *text, size_t max, char also)
{
	for (; max && *text; max--, text++) {
		u8 c = *text;

		if (c > ' ' && c < 0x7f && c != also && c != '\\') {
			*p++ = c;
		} else {
			*p++ = '\\';
			*p++ = '0' + (c >> 6);
			*p++ = '0' + (c >> 3 & 7);
			*p++ = '0' + (c & 7);
		}
	}
	return p;
}

/**
 * field_right() - write an unsigned number flush right, and a blank
 * @p: where the column may begin
 * @column: where the next column begins; the number ends one before it
 * @v: the number
 *
 * Return: where the next field is to be written; @column, or beyond it where
 * the number is too wide.
 */
char *field_right(char *p, char *column, u64 v)
{
	char digits[FIELD_U64_MAX + FIELD_SLACK];
	char *start;
	size_t n;

	if (v < 10) {
		p = column - p > 2 ? field_pad(p, column - 2) : p;
		*p++ = '0' + v;
		*p++ = ' ';
		return p;
	}
	n = field_dec(digits, v) - digits;
	start = column - 1 - n;
	if (start > p)
		p = field_pad(p, start);
	memcpy(p, digits, 8);
	if (unlikely(n > 8))
		memcpy(p + 8, digits + 8, FIELD_U64_MAX - 8);
	p += n;
	*p++ = ' ';
	return p;
}
