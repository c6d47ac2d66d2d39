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

#include <linux/in6.h>
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

extern const char field_octets[256][4];

char *field_dec(char *p, u64 v);
char *field_ipv6(char *p, const struct in6_addr *addr);
char *field_text(char *p, const char *text, size_t max, char also);

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
		*p = '0' + v;
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
 * field_right() - write an unsigned number flush right, and a blank
 * @p: where the column may begin
 * @column: where the next column begins; the number ends one before it
 * @v: the number
 *
 * Return: where the next field is to be written; @column, or beyond it where
 * the number is too wide.
 */
static __always_inline char *field_right(char *p, char *column, u64 v)
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

/**
 * field_ipv4() - write an IPv4 address as %pI4 does
 * @p: where to write
 * @addr: the address in network byte order
 *
 * Return: the byte after the last digit.
 */
static __always_inline char *field_ipv4(char *p, __be32 addr)
{
	const u8 *octet = (const u8 *)&addr;
	int i;

	/* An entry is an octet's digits and a dot; the last dot is dropped. */
	for (i = 0; i < 4; i++) {
		memcpy(p, field_octets[octet[i]], 4);
		p += 2 + (octet[i] >= 10) + (octet[i] >= 100);
	}
	return p - 1;
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
	*p++ = ':';
	if (!port) {
		*p = '*';
		return p + 1;
	}
	return field_dec(p, port);
}

#endif /* KNETSTAT_FIELD_H */
