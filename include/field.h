/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Field writers: numbers, addresses and padding, straight into a buffer.
 *
 * Every row of every table goes through these, so they do without printf and
 * without bounds: the caller knows that the widest row fits (ROW_MAX).
 * They store whole words, and may scribble up to FIELD_SLACK bytes past the
 * pointer they return; the next field overwrites that.
 *
 * Pure code: no socket, no lock, any context.
 */
#ifndef KNETSTAT_FIELD_H
#define KNETSTAT_FIELD_H

#include <linux/bitops.h>
#include <linux/in6.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/types.h>

/* How far past its end a writer may store. */
#define FIELD_SLACK	32

/* The longest text each writer can produce. */
#define FIELD_U64_MAX	20	/* 18446744073709551615 */
#define FIELD_S64_MAX	20	/* -9223372036854775808 */
#define FIELD_IPV4_MAX	15	/* 255.255.255.255 */
#define FIELD_IPV6_MAX	45	/* six groups and a dotted quad */
#define FIELD_PORT_MAX	6	/* :65535 */
#define FIELD_MSECS_MAX	21	/* 18446744073709551.615 */

extern const char field_octets[256][4];
extern const u8 field_octet_len[256];

char *field_dec(char *p, u64 v);
char *field_ipv6(char *p, const struct in6_addr *addr);
char *field_right(char *p, char *column, u64 v);
char *field_msecs(char *p, char *column, u64 us);
char *field_secs(char *p, char *column, u64 us);
char *field_text(char *p, const char *text, size_t max, char also);
char *field_bytes(char *p, const char *bytes, size_t count);
char *field_comm(char *p, const char *comm);

#define FIELD_ZEROS	0x3030303030303030ULL	/* "00000000" */
#define FIELD_BLANKS	0x2020202020202020ULL

/* Eight bytes at once, the lowest first. */
static __always_inline void field_put8(char *p, u64 bytes)
{
	__le64 le = cpu_to_le64(bytes);

	memcpy(p, &le, sizeof(le));
}

/* The eight decimal digits of @v < 10^8, a byte each, the first one lowest. */
static __always_inline u64 field_digits(u32 v)
{
	u64 d, q;

	/* Halves of four digits, then pairs, then digits: all at once. */
	d = v / 10000;
	d |= (u64)(v - (u32)d * 10000) << 32;
	q = d * 10486 >> 20 & 0x0000007f0000007fULL;	/* each / 100 */
	d = q | (d - q * 100) << 16;
	q = d * 103 >> 10 & 0x000f000f000f000fULL;	/* each / 10 */
	return q | (d - q * 10) << 8;
}

/* The four decimal digits of @v < 10^4, in the same order. */
static __always_inline u32 field_digits4(u32 v)
{
	u32 q;

	q = v * 10486 >> 20;
	v = q | (v - q * 100) << 16;
	q = v * 103 >> 10 & 0x000f000f;
	return q | (v - q * 10) << 8;
}

/* How many bits of what field_digits() returned are leading zeros. */
static __always_inline unsigned int field_zeros(u64 digits)
{
	return __ffs64(digits | 1ULL << 56) & 56;
}

/* The same as text, with blanks instead of that many bits of zeros. */
static __always_inline u64 field_blank(u64 digits, unsigned int zeros)
{
	/* A blank is a zero less 0x10. */
	return digits + FIELD_ZEROS -
	       (0x1010101010101010ULL & ((1ULL << zeros) - 1));
}

/**
 * field_u64() - write an unsigned decimal number
 * @p: where to write
 * @v: the number
 *
 * Return: the byte after the last digit.
 */
static __always_inline char *field_u64(char *p, u64 v)
{
	if (v < 10) {
		*p = '0' + v % 10;	/* a char even for a constant @v */
		return p + 1;
	}
	return field_dec(p, v);
}

/**
 * field_s64() - write a signed decimal number
 * @p: where to write
 * @v: the number
 *
 * Return: the byte after the last digit.
 */
static __always_inline char *field_s64(char *p, s64 v)
{
	if (v >= 0)
		return field_u64(p, v);
	*p++ = '-';
	return field_u64(p, -(u64)v);
}

/**
 * field_str() - write a string literal
 * @p: where to write
 * @s: the literal; its terminating NUL is not written
 *
 * Return: the byte after the last character.
 */
#define field_str(p, s) \
	((char *)memcpy((p), (s), sizeof(s) - 1) + sizeof(s) - 1)

/**
 * field_cstr() - write a string
 * @p: where to write
 * @s: the string
 *
 * Return: the byte after the last character.
 */
static inline char *field_cstr(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

/**
 * field_pad() - fill with blanks up to a column
 * @p: where the previous field ended
 * @column: where the next one begins
 *
 * A field that ran past @column pushes the line: one blank then.
 *
 * Return: where the next field is to be written.
 */
static __always_inline char *field_pad(char *p, char *column)
{
	char *end = p < column ? column : p + 1;

	do {
		memcpy(p, "        ", 8);
		p += 8;
	} while (p < end);
	return end;
}

/**
 * field_right8() - write an unsigned number in a column of eight, and a blank
 * @p: where the column begins
 * @v: the number
 *
 * Return: where the next field is to be written.
 */
static __always_inline char *field_right8(char *p, u64 v)
{
	u64 digits;

	if (unlikely(v >= 100000000))
		return field_right(p, p + 9, v);
	digits = field_digits(v);
	field_put8(p, field_blank(digits, field_zeros(digits)));
	p[8] = ' ';
	return p + 9;
}

/**
 * field_right_in() - field_right() into a column whose place is known when this is
 * compiled
 * @p: where to write: @start, unless the fields before have pushed the line
 * @start: where the column begins
 * @column: where the next one does; 2 to 17 bytes behind that
 * @v: the number
 *
 * Return: as field_right().
 */
static __always_inline char *field_right_in(char *p, char *start, char *column,
					    u64 v)
{
	static const u32 limits[] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	};
	const ptrdiff_t width = column - 1 - start;
	u64 digits;

	if (unlikely(p != start || v >= limits[width < 8 ? width : 8]))
		return field_right(p, column, v);
	if (v < 10) {
		digits = FIELD_BLANKS + ((0x10 + v) << 56);
	} else if (width <= 5) {
		/* Five are made with less, and come to stand below. */
		digits = (u64)field_digits4(v % 10000) << 8 | (u32)v / 10000;
		digits = field_blank(digits, __ffs64(digits) & 56) << 24;
	} else {
		digits = field_digits(v);
		digits = field_blank(digits, field_zeros(digits));
	}
	if (width > 8)
		field_put8(p, FIELD_BLANKS);
	if (width >= 8)
		field_put8(p + width - 8, digits);
	else
		field_put8(p, digits >> 8 * (8 - width));
	p[width] = ' ';
	return column;
}

/**
 * field_ten() - write a number of ten digits
 * @p: where to write
 * @v: the number, from 10^9 to 10^10 - 1
 *
 * Return: the byte after the last digit.
 */
static __always_inline char *field_ten(char *p, u64 v)
{
	u32 low, high = div_u64_rem(v, 100000000, &low);

	*p++ = '0' + high / 10;
	*p++ = '0' + high % 10;
	field_put8(p, field_digits(low) + FIELD_ZEROS);
	return p + 8;
}

/* An octet's digits and a dot. */
static __always_inline char *field_octet(char *p, unsigned int octet)
{
	memcpy(p, field_octets[octet], 4);
	return p + field_octet_len[octet];
}

/**
 * field_ipv4() - write an IPv4 address as %pI4 does
 * @p: where to write
 * @addr: the address in network byte order
 *
 * Return: the byte after the last digit.
 */
static __always_inline char *field_ipv4(char *p, __be32 addr)
{
	u32 octets = be32_to_cpu(addr);

	p = field_octet(p, octets >> 24);
	p = field_octet(p, octets >> 16 & 0xff);
	p = field_octet(p, octets >> 8 & 0xff);
	p = field_octet(p, octets & 0xff);
	return p - 1;	/* the last dot */
}

/**
 * field_port() - write a colon and a port
 * @p: where to write
 * @port: the port in host byte order; 0 is written as an asterisk
 *
 * Return: the byte after the last character.
 */
static __always_inline char *field_port(char *p, u16 port)
{
	u64 digits;
	unsigned int zeros;

	*p++ = ':';
	if (!port) {
		*p = '*';
		return p + 1;
	}
	digits = (u64)field_digits4(port % 10000U) << 8 | port / 10000U;
	zeros = __ffs64(digits) & 56;
	field_put8(p, (digits + FIELD_ZEROS) >> zeros);
	return p + 5 - zeros / 8;
}

#endif /* KNETSTAT_FIELD_H */
