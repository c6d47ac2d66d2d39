// SPDX-License-Identifier: GPL-2.0
/*
 * Field writers: the parts too large to inline. See field.h.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/time64.h>
#include <net/addrconf.h>
#include <net/ipv6.h>

#include "field.h"

/* Each octet's digits, and a dot at least. */
const char field_octets[256][4] = {
	"0...", "1...", "2...", "3...", "4...", "5...", "6...", "7...",
	"8...", "9...", "10..", "11..", "12..", "13..", "14..", "15..",
	"16..", "17..", "18..", "19..", "20..", "21..", "22..", "23..",
	"24..", "25..", "26..", "27..", "28..", "29..", "30..", "31..",
	"32..", "33..", "34..", "35..", "36..", "37..", "38..", "39..",
	"40..", "41..", "42..", "43..", "44..", "45..", "46..", "47..",
	"48..", "49..", "50..", "51..", "52..", "53..", "54..", "55..",
	"56..", "57..", "58..", "59..", "60..", "61..", "62..", "63..",
	"64..", "65..", "66..", "67..", "68..", "69..", "70..", "71..",
	"72..", "73..", "74..", "75..", "76..", "77..", "78..", "79..",
	"80..", "81..", "82..", "83..", "84..", "85..", "86..", "87..",
	"88..", "89..", "90..", "91..", "92..", "93..", "94..", "95..",
	"96..", "97..", "98..", "99..", "100.", "101.", "102.", "103.",
	"104.", "105.", "106.", "107.", "108.", "109.", "110.", "111.",
	"112.", "113.", "114.", "115.", "116.", "117.", "118.", "119.",
	"120.", "121.", "122.", "123.", "124.", "125.", "126.", "127.",
	"128.", "129.", "130.", "131.", "132.", "133.", "134.", "135.",
	"136.", "137.", "138.", "139.", "140.", "141.", "142.", "143.",
	"144.", "145.", "146.", "147.", "148.", "149.", "150.", "151.",
	"152.", "153.", "154.", "155.", "156.", "157.", "158.", "159.",
	"160.", "161.", "162.", "163.", "164.", "165.", "166.", "167.",
	"168.", "169.", "170.", "171.", "172.", "173.", "174.", "175.",
	"176.", "177.", "178.", "179.", "180.", "181.", "182.", "183.",
	"184.", "185.", "186.", "187.", "188.", "189.", "190.", "191.",
	"192.", "193.", "194.", "195.", "196.", "197.", "198.", "199.",
	"200.", "201.", "202.", "203.", "204.", "205.", "206.", "207.",
	"208.", "209.", "210.", "211.", "212.", "213.", "214.", "215.",
	"216.", "217.", "218.", "219.", "220.", "221.", "222.", "223.",
	"224.", "225.", "226.", "227.", "228.", "229.", "230.", "231.",
	"232.", "233.", "234.", "235.", "236.", "237.", "238.", "239.",
	"240.", "241.", "242.", "243.", "244.", "245.", "246.", "247.",
	"248.", "249.", "250.", "251.", "252.", "253.", "254.", "255.",
};

/* How many of those to keep: the digits and one dot. */
const u8 field_octet_len[256] = {
	[0 ... 9] = 2, [10 ... 99] = 3, [100 ... 255] = 4,
};

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
	unsigned int zeros;
	u64 digits;
	u32 low;

	if (v >= 100000000) {
		/* Eight digits at a time, but the first ones. */
		v = div_u64_rem(v, 100000000, &low);
		p = field_dec(p, v);
		field_put8(p, field_digits(low) + FIELD_ZEROS);
		return p + 8;
	}
	digits = field_digits(v);
	zeros = field_zeros(digits);
	field_put8(p, (digits + FIELD_ZEROS) >> zeros);
	return p + 8 - zeros / 8;
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

/* A byte that somebody else chose. */
static __always_inline char *field_byte(char *p, u8 c, char also)
{
	if (c > ' ' && c < 0x7f && c != also && c != '\\') {
		*p++ = c;
	} else {
		*p++ = '\\';
		*p++ = '0' + (c >> 6);
		*p++ = '0' + (c >> 3 & 7);
		*p++ = '0' + (c & 7);
	}
	return p;
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
	for (; max && *text; max--, text++)
		p = field_byte(p, *text, also);
	return p;
}

static noinline char *field_comm_escaped(char *p, const char *comm)
{
	if (!comm[0])
		return field_str(p, "-");
	if (comm[0] == '-' && !comm[1])
		return field_str(p, "\\055");
	return field_text(p, comm, TASK_COMM_LEN, 0);
}

/* Copies eight bytes; returns how many of them there are before one to be escaped. */
static __always_inline unsigned int field_plain(char *p, const char *text)
{
	const u64 ones = 0x0101010101010101ULL, high = 0x80 * ones;
	u64 bytes, stops, slashes;
	__le64 le;

	memcpy(&le, text, sizeof(le));
	memcpy(p, &le, sizeof(le));
	bytes = le64_to_cpu(le);
	slashes = bytes ^ '\\' * ones;
	/*
	 * The high bit of a byte that is below '!', above '~', no ASCII, or a
	 * backslash; behind the first such byte they may be wrong.
	 */
	stops = ((bytes - '!' * ones) & ~bytes) | bytes | (bytes + ones) |
		((slashes - ones) & ~slashes);
	stops &= high;
	return stops ? __ffs64(stops) / 8 : 8;
}

/**
 * field_bytes() - write bytes that somebody else chose, as field_text() does
 * @p: where to write
 * @bytes: the bytes, any of which may be a NUL
 * @count: how many
 *
 * Return: the byte after the last character.
 */
char *field_bytes(char *p, const char *bytes, size_t count)
{
	const char *end = bytes + count;
	unsigned int n;

	while (end - bytes >= 8) {
		n = field_plain(p, bytes);
		p += n;
		bytes += n;
		if (n < 8)
			p = field_byte(p, *bytes++, 0);
	}
	while (bytes < end)
		p = field_byte(p, *bytes++, 0);
	return p;
}

/**
 * field_comm() - write a process's name
 * @p: where to write
 * @comm: TASK_COMM_LEN bytes; the name ends with a NUL if it is shorter
 *
 * A process may be called "-", which would mean that there is none.
 *
 * Return: the byte after the last character.
 */
char *field_comm(char *p, const char *comm)
{
	unsigned int n = field_plain(p, comm);

	if (n == 8)
		n += field_plain(p + 8, comm + 8);
	/* All of it, and that is no "-". */
	if (likely(n == TASK_COMM_LEN || (!comm[n] && n > 1)))
		return p + n;
	return field_comm_escaped(p, comm);
}

static noinline char *field_right_wide(char *p, char *column, u64 v)
{
	char digits[FIELD_U64_MAX + FIELD_SLACK];
	size_t n = field_dec(digits, v) - digits;

	if (column - 1 - n > p)
		p = field_pad(p, column - 1 - n);
	memcpy(p, digits, FIELD_U64_MAX);
	p += n;
	*p++ = ' ';
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
	ptrdiff_t width = column - 1 - p;
	unsigned int zeros;
	u64 digits;

	if (v < 10) {
		p = width > 1 ? field_pad(p, column - 2) : p;
		*p++ = '0' + v;
		*p++ = ' ';
		return p;
	}
	if (unlikely(v >= 100000000))
		return field_right_wide(p, column, v);
	if (width > 8) {
		p = field_pad(p, column - 9);
		width = 8;
	}
	digits = field_digits(v);
	zeros = field_zeros(digits);
	/* The last @width of eight digits, if that is all of them. */
	if (unlikely(width <= 0 || zeros < 64 - 8 * width))
		return field_right_wide(p, column, v);
	field_put8(p, field_blank(digits, zeros) >> (64 - 8 * width));
	p[width] = ' ';
	return p + width + 1;
}

/* Writes @v / 10^@decimals flush right, with all its decimals, and a blank. */
static __always_inline char *field_fixed(char *p, char *column, u64 v, u32 scale,
					 int decimals)
{
	char digits[FIELD_U64_MAX + FIELD_SLACK];
	u32 fraction;
	size_t n;

	n = field_u64(digits, div_u64_rem(v, scale, &fraction)) - digits;
	if (column - 2 - decimals - n > p)
		p = field_pad(p, column - 2 - decimals - n);
	memcpy(p, digits, 8);
	if (unlikely(n > 8))
		memcpy(p + 8, digits + 8, FIELD_U64_MAX - 8);
	p += n;
	*p = '.';
	/* The last ones of eight digits. */
	field_put8(p + 1, (field_digits(fraction) + FIELD_ZEROS) >>
			  8 * (8 - decimals));
	p += decimals + 1;
	*p++ = ' ';
	return p;
}

static noinline char *field_msecs_wide(char *p, char *column, u64 us)
{
	return field_fixed(p, column, us, USEC_PER_MSEC, 3);
}

/**
 * field_msecs() - write a time in milliseconds, flush right, and a blank
 * @p: where the column may begin
 * @column: where the next column begins
 * @us: the time in microseconds; it is written with 3 decimals
 *
 * Return: where the next field is to be written; @column, or beyond it where
 * the number is too wide.
 */
char *field_msecs(char *p, char *column, u64 us)
{
	char *start = column - sizeof("12345.678");
	unsigned int zeros;
	u64 digits;

	if (unlikely(us >= 100000000 || start < p))
		return field_msecs_wide(p, column, us);
	if (start > p)
		field_pad(p, start);
	digits = field_digits(us);
	/* One digit at least before the point. */
	zeros = min(field_zeros(digits), 32U);
	digits = field_blank(digits, zeros);
	field_put8(start, digits);
	/* The point, the last three digits, and a blank. */
	field_put8(start + 5, '.' | digits >> 40 << 8 | (u64)' ' << 32);
	return column;
}

/**
 * field_secs() - write a time in seconds, flush right, and a blank
 * @p: where the column may begin
 * @column: where the next column begins
 * @us: the time in microseconds; it is written with 6 decimals
 *
 * Return: as field_msecs().
 */
char *field_secs(char *p, char *column, u64 us)
{
	return field_fixed(p, column, us, USEC_PER_SEC, 6);
}
