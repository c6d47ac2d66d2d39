// SPDX-License-Identifier: GPL-2.0
/*
 * Field writers against the kernel's own printf, which they stand in for.
 */
#include <linux/limits.h>
#include <linux/prandom.h>

#include "../../src/field.c"

#include "buffer.h"
#include "suites.h"

/* Every writer of numbers, on one number and its negative. */
static void expect_number(struct kunit *test, u64 v)
{
	char *p;

	p = buffer_clean(test);
	buffer_expect(test, field_dec(p, v), "%llu", v);
	p = buffer_clean(test);
	buffer_expect(test, field_u64(p, v), "%llu", v);
	p = buffer_clean(test);
	buffer_expect(test, field_s64(p, (s64)v), "%lld", (s64)v);
	p = buffer_clean(test);
	buffer_expect(test, field_s64(p, (s64)-v), "%lld", (s64)-v);
}

static void field_test_powers_of_ten(struct kunit *test)
{
	u64 power = 1;
	int i;

	for (i = 0; i < FIELD_U64_MAX; i++, power *= 10) {
		expect_number(test, power - 1);
		expect_number(test, power);
		expect_number(test, power + 1);
	}
}

static void field_test_powers_of_two(struct kunit *test)
{
	int i;

	for (i = 0; i < 64; i++) {
		expect_number(test, BIT_ULL(i) - 1);
		expect_number(test, BIT_ULL(i));
		expect_number(test, BIT_ULL(i) + 1);
	}
	expect_number(test, U64_MAX);
}

/* In the middle of a long number, where zeros are easily lost. */
static void field_test_inner_zeros(struct kunit *test)
{
	u64 high, low;

	for (high = 1; high <= 10000000000ULL; high *= 10) {
		for (low = 1; low <= 100000000; low *= 10)
			expect_number(test, high * 1000000000 + low);
	}
}

static void field_test_small_numbers(struct kunit *test)
{
	u64 v;

	for (v = 0; v <= 10000; v++)
		expect_number(test, v);
}

static void field_test_random_numbers(struct kunit *test)
{
	struct rnd_state random;
	int i;

	prandom_seed_state(&random, 4);
	for (i = 0; i < 5000; i++) {
		u64 v = (u64)prandom_u32_state(&random) << 32 |
			prandom_u32_state(&random);

		expect_number(test, v >> i % 64);
	}
}

static void field_test_longest_numbers(struct kunit *test)
{
	char *p;

	p = buffer_clean(test);
	buffer_expect(test, field_u64(p, U64_MAX), "18446744073709551615");
	KUNIT_EXPECT_EQ(test, sizeof("18446744073709551615") - 1, FIELD_U64_MAX);
	p = buffer_clean(test);
	buffer_expect(test, field_s64(p, S64_MIN), "-9223372036854775808");
	KUNIT_EXPECT_EQ(test, sizeof("-9223372036854775808") - 1, FIELD_S64_MAX);
	p = buffer_clean(test);
	buffer_expect(test, field_s64(p, S64_MAX), "9223372036854775807");
	p = buffer_clean(test);
	buffer_expect(test, field_s64(p, -1), "-1");
}

static void field_test_str(struct kunit *test)
{
	char *p;

	p = buffer_clean(test);
	buffer_expect(test, field_str(p, "-"), "-");
	p = buffer_clean(test);
	buffer_expect(test, field_str(p, "ESTB -"), "ESTB -");
	p = buffer_clean(test);
	buffer_expect(test, field_str(field_str(p, "ab"), "c"), "abc");
}

/* All that four digits can be, and a good part of eight. */
static void field_test_digits(struct kunit *test)
{
	char *p;
	u32 v;

	for (v = 0; v < 10000; v++) {
		p = buffer_clean(test);
		field_put8(p, field_digits4(v) + FIELD_ZEROS);
		buffer_expect(test, p + 4, "%04u", v);
	}
	/* A prime is in step with no power of ten. */
	for (v = 0; v < 100000000; v += 9973) {
		p = buffer_clean(test);
		field_put8(p, field_digits(v) + FIELD_ZEROS);
		buffer_expect(test, p + 8, "%08u", v);
	}
	/* Either half at its extremes. */
	for (v = 0; v < 10000; v++) {
		p = buffer_clean(test);
		field_put8(p, field_digits(v * 10000) + FIELD_ZEROS);
		buffer_expect(test, p + 8, "%04u0000", v);
		p = buffer_clean(test);
		field_put8(p, field_digits(99990000 + v) + FIELD_ZEROS);
		buffer_expect(test, p + 8, "9999%04u", v);
	}
}

/*
 * A column of each width, each number of digits in it. Where @width is not
 * above zero the fields before have pushed the line past this column already.
 */
static void field_test_right(struct kunit *test)
{
	int width, digits;
	u64 v;

	for (width = -4; width <= 40; width++) {
		for (v = 7, digits = 1; digits <= FIELD_U64_MAX; digits++) {
			char *p = buffer_clean(test);

			buffer_expect(test, field_right(p, p + width, v),
				      "%*llu ", max(width - 1, 0), v);
			/* One digit more; what has twenty begins with 1. */
			v = digits < FIELD_U64_MAX - 1 ? v * 10 + digits % 10 :
							 U64_MAX;
		}
	}
}

static void field_test_right_zero(struct kunit *test)
{
	int width;

	for (width = -4; width <= 40; width++) {
		char *p = buffer_clean(test);

		buffer_expect(test, field_right(p, p + width, 0), "%*u ",
			      max(width - 1, 0), 0);
	}
}

/* The same with a fraction. */
static void field_test_fixed(struct kunit *test)
{
	static const u64 values[] = {
		0, 1, 999, 1000, 1001, 999999, 1000000, 1234567, 59999999,
		1764150000123456ULL, U64_MAX - 1, U64_MAX,
	};
	int width, i;
	char *p;

	for (width = -4; width <= 40; width++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			u64 v = values[i];

			p = buffer_clean(test);
			buffer_expect(test, field_msecs(p, p + width, v),
				      "%*llu.%03llu ", max(width - 5, 0),
				      v / 1000, v % 1000);
			p = buffer_clean(test);
			buffer_expect(test, field_secs(p, p + width, v),
				      "%*llu.%06llu ", max(width - 8, 0),
				      v / 1000000, v % 1000000);
		}
	}
}

/* The same, where the column is eight wide and begins here. */
static void field_test_right8(struct kunit *test)
{
	u64 power, v;
	char *p;
	int i;

	for (power = 1, i = 0; i < FIELD_U64_MAX; i++, power *= 10) {
		for (v = power - 1; v != power + 2; v++) {
			p = buffer_clean(test);
			buffer_expect(test, field_right8(p, v), "%8llu ", v);
		}
	}
	for (v = 0; v < 100000000; v += 9973) {
		p = buffer_clean(test);
		buffer_expect(test, field_right8(p, v), "%8llu ", v);
	}
	p = buffer_clean(test);
	buffer_expect(test, field_right8(p, U64_MAX), "%8llu ", U64_MAX);
}

/* The same, where the column's place is known. */
static void field_test_right_in(struct kunit *test)
{
	u64 power, v;
	int i;

#define FIELD_TEST_RIGHT_IN(width, pushed) do {					\
	char *begin = buffer_clean(test);					\
										\
	memcpy(begin, "########", 8);						\
	buffer_expect(test, field_right_in(begin + (pushed), begin,		\
					   begin + (width) + 1, v),		\
		      "%.*s%*llu ", pushed, "########",				\
		      (width) - (pushed), v);					\
} while (0)

	for (power = 1, i = 0; i < FIELD_U64_MAX; i++, power *= 10) {
		for (v = power - 1; v != power + 2; v++) {
			FIELD_TEST_RIGHT_IN(1, 0);
			FIELD_TEST_RIGHT_IN(4, 0);
			FIELD_TEST_RIGHT_IN(5, 0);
			FIELD_TEST_RIGHT_IN(7, 0);
			FIELD_TEST_RIGHT_IN(8, 0);
			FIELD_TEST_RIGHT_IN(10, 0);
			FIELD_TEST_RIGHT_IN(16, 0);
			FIELD_TEST_RIGHT_IN(10, 1);
			FIELD_TEST_RIGHT_IN(8, 3);
		}
	}
#undef FIELD_TEST_RIGHT_IN
}

static void field_test_ten(struct kunit *test)
{
	u64 v;

	for (v = 1000000000; v < 10000000000ULL; v += 9876543)
		buffer_expect(test, field_ten(buffer_clean(test), v), "%llu", v);
	buffer_expect(test, field_ten(buffer_clean(test), 9999999999ULL), "9999999999");
}

/* A field that reached or passed the next column is parted by one blank. */
static void field_test_pad(struct kunit *test)
{
	int width;

	for (width = -20; width <= 80; width++) {
		char *p = buffer_clean(test);

		buffer_expect(test, field_pad(p, p + width), "%*s",
			      max(width, 1), "");
	}
}

/* Every octet in every place, between long and short ones. */
static void field_test_ipv4(struct kunit *test)
{
	static const u8 others[] = { 0, 9, 10, 99, 100, 255 };
	int octet, place, i;

	for (octet = 0; octet <= 255; octet++) {
		for (place = 0; place < 4; place++) {
			for (i = 0; i < ARRAY_SIZE(others); i++) {
				char *p = buffer_clean(test);
				__be32 addr;

				memset(&addr, others[i], sizeof(addr));
				((u8 *)&addr)[place] = octet;
				buffer_expect(test, field_ipv4(p, addr), "%pI4",
					      &addr);
			}
		}
	}
}

static void field_test_ipv4_longest(struct kunit *test)
{
	char *p = buffer_clean(test);

	buffer_expect(test, field_ipv4(p, htonl(INADDR_BROADCAST)),
		      "255.255.255.255");
	KUNIT_EXPECT_EQ(test, sizeof("255.255.255.255") - 1, FIELD_IPV4_MAX);
}

static void field_test_port(struct kunit *test)
{
	unsigned int port;
	char *p;

	p = buffer_clean(test);
	buffer_expect(test, field_port(p, 0), ":*");
	for (port = 1; port <= U16_MAX; port++) {
		p = buffer_clean(test);
		buffer_expect(test, field_port(p, port), ":%u", port);
	}
	KUNIT_EXPECT_EQ(test, sizeof(":65535") - 1, FIELD_PORT_MAX);
}

static struct in6_addr ipv6(const u16 group[8])
{
	struct in6_addr addr;
	int i;

	for (i = 0; i < 8; i++)
		addr.s6_addr16[i] = htons(group[i]);
	return addr;
}

static void expect_ipv6(struct kunit *test, const u16 group[8])
{
	struct in6_addr addr = ipv6(group);
	char *p = buffer_clean(test);

	buffer_expect(test, field_ipv6(p, &addr), "%pI6c", &addr);
}

static const struct ipv6_case {
	const char *text;
	u16 group[8];
} ipv6_cases[] = {
	{ "::",			{ } },
	{ "::1",		{ 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "1::",		{ 1 } },
	{ "1::1",		{ 1, 0, 0, 0, 0, 0, 0, 1 } },
	{ "fe80::1",		{ 0xfe80, 0, 0, 0, 0, 0, 0, 1 } },
	{ "ff02::1",		{ 0xff02, 0, 0, 0, 0, 0, 0, 1 } },
	{ "ff02::1:ff00:0",	{ 0xff02, 0, 0, 0, 0, 1, 0xff00, 0 } },
	{ "2001:db8::8:800:200c:417a",
	  { 0x2001, 0xdb8, 0, 0, 8, 0x800, 0x200c, 0x417a } },
	{ "1:2:3:4:5:6:7:8",	{ 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  { 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff } },
	/* Digits: no leading zeros, but those inside. */
	{ "a:b0:c00:d000:e0f:102:3004:5060",
	  { 0xa, 0xb0, 0xc00, 0xd000, 0xe0f, 0x102, 0x3004, 0x5060 } },
	/* One zero group is no run. */
	{ "0:2:3:4:5:6:7:8",	{ 0, 2, 3, 4, 5, 6, 7, 8 } },
	{ "1:2:3:0:5:6:7:8",	{ 1, 2, 3, 0, 5, 6, 7, 8 } },
	{ "1:2:3:4:5:6:7:0",	{ 1, 2, 3, 4, 5, 6, 7, 0 } },
	{ "0:2:0:4:0:6:0:8",	{ 0, 2, 0, 4, 0, 6, 0, 8 } },
	/* Two are, at either end and in the middle. */
	{ "::3:4:5:6:7:8",	{ 0, 0, 3, 4, 5, 6, 7, 8 } },
	{ "1:2:3::6:7:8",	{ 1, 2, 3, 0, 0, 6, 7, 8 } },
	{ "1:2:3:4:5:6::",	{ 1, 2, 3, 4, 5, 6, 0, 0 } },
	/* The first of two as long, else the longer. */
	{ "2001:db8::1:0:0:1",	{ 0x2001, 0xdb8, 0, 0, 1, 0, 0, 1 } },
	{ "::3:4:5:6:0:0",	{ 0, 0, 3, 4, 5, 6, 0, 0 } },
	{ "2001:0:0:1::1",	{ 0x2001, 0, 0, 1, 0, 0, 0, 1 } },
	{ "2001::1:0:0:1",	{ 0x2001, 0, 0, 0, 1, 0, 0, 1 } },
	{ "0:2:3::6:0:8",	{ 0, 2, 3, 0, 0, 6, 0, 8 } },
	/* v4-mapped, and all but. */
	{ "::ffff:192.0.2.1",	{ 0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201 } },
	{ "::ffff:0.0.0.0",	{ 0, 0, 0, 0, 0, 0xffff, 0, 0 } },
	{ "::ffff:255.255.255.255",
	  { 0, 0, 0, 0, 0, 0xffff, 0xffff, 0xffff } },
	{ "::fffe:c000:201",	{ 0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x201 } },
	{ "::1:ffff:c000:201",	{ 0, 0, 0, 0, 1, 0xffff, 0xc000, 0x201 } },
	{ "1::ffff:c000:201",	{ 1, 0, 0, 0, 0, 0xffff, 0xc000, 0x201 } },
	/* v4-compatible and NAT64: as any other. */
	{ "::c000:201",		{ 0, 0, 0, 0, 0, 0, 0xc000, 0x201 } },
	{ "64:ff9b::c000:201",
	  { 0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x201 } },
	/* ISATAP, both identifiers, and all but. */
	{ "fe80::5efe:192.0.2.1",
	  { 0xfe80, 0, 0, 0, 0, 0x5efe, 0xc000, 0x201 } },
	{ "fe80::200:5efe:192.0.2.1",
	  { 0xfe80, 0, 0, 0, 0x200, 0x5efe, 0xc000, 0x201 } },
	{ "::5efe:0.0.0.0",	{ 0, 0, 0, 0, 0, 0x5efe, 0, 0 } },
	{ "::200:5efe:0.0.0.0",	{ 0, 0, 0, 0, 0x200, 0x5efe, 0, 0 } },
	{ "1:2:3:4:0:5efe:10.0.0.1",
	  { 1, 2, 3, 4, 0, 0x5efe, 0xa00, 1 } },
	{ "1:2:3::5efe:10.0.0.1",
	  { 1, 2, 3, 0, 0, 0x5efe, 0xa00, 1 } },
	{ "ffff:ffff:ffff:ffff:200:5efe:255.255.255.255",
	  { 0xffff, 0xffff, 0xffff, 0xffff, 0x200, 0x5efe, 0xffff, 0xffff } },
	{ "fe80::100:5efe:c000:201",
	  { 0xfe80, 0, 0, 0, 0x100, 0x5efe, 0xc000, 0x201 } },
	{ "fe80::5eff:c000:201",
	  { 0xfe80, 0, 0, 0, 0, 0x5eff, 0xc000, 0x201 } },
};

KUNIT_ARRAY_PARAM_DESC(ipv6, ipv6_cases, text);

static void field_test_ipv6(struct kunit *test)
{
	const struct ipv6_case *c = test->param_value;
	struct in6_addr addr = ipv6(c->group);
	char *p = buffer_clean(test);

	buffer_expect(test, field_ipv6(p, &addr), "%s", c->text);
	expect_ipv6(test, c->group);
	KUNIT_EXPECT_LE(test, strlen(c->text), FIELD_IPV6_MAX);
}

/* What stands where a pattern has no zero group: one digit to four. */
static const u16 fillings[][8] = {
	{ 1, 2, 3, 4, 5, 6, 7, 8 },
	{ 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80 },
	{ 0x123, 0x100, 0xabc, 0xfff, 0x900, 0x909, 0x990, 0x101 },
	{ 0x1000, 0x2001, 0xffff, 0xabcd, 0xef01, 0x8000, 0x7fff, 0x1234 },
	{ 0x1, 0x1000, 0x10, 0x100, 0x1000, 0x1, 0xffff, 0xf },
	{ 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff },
	{ 0x5efe, 0x5efe, 0x5efe, 0x5efe, 0x200, 0x5efe, 0x5efe, 0x5efe },
};

/* Runs of zeros of every length in every place, several at once. */
static void field_test_ipv6_patterns(struct kunit *test)
{
	int pattern, i, j;

	for (pattern = 0; pattern < 256; pattern++) {
		for (i = 0; i < ARRAY_SIZE(fillings); i++) {
			u16 group[8];

			for (j = 0; j < 8; j++)
				group[j] = pattern & 1 << j ? fillings[i][j] : 0;
			expect_ipv6(test, group);
		}
	}
}

/* The same before a dotted quad. */
static void field_test_ipv6_quads(struct kunit *test)
{
	static const u16 middle[][2] = {
		{ 0, 0xffff }, { 0, 0x5efe }, { 0x200, 0x5efe },
	};
	static const u16 quad[][2] = {
		{ 0, 0 }, { 0, 1 }, { 0x7f00, 1 }, { 0xa0a, 0x6463 },
		{ 0xffff, 0xffff },
	};
	int pattern, i, j, k;

	for (pattern = 0; pattern < 16; pattern++) {
		for (i = 0; i < ARRAY_SIZE(middle); i++) {
			for (j = 0; j < ARRAY_SIZE(quad); j++) {
				u16 group[8] = {
					[4] = middle[i][0], middle[i][1],
					quad[j][0], quad[j][1],
				};

				for (k = 0; k < 4; k++)
					group[k] = pattern & 1 << k ?
						   0x1000 >> 4 * k : 0;
				expect_ipv6(test, group);
			}
		}
	}
}

/* Each group zero, small, special or anything, one in four each. */
static void field_test_ipv6_random(struct kunit *test)
{
	static const u16 special[] = { 0xffff, 0x5efe, 0x200, 0xfe80 };
	struct rnd_state random;
	int i, j;

	prandom_seed_state(&random, 6);
	for (i = 0; i < 20000; i++) {
		u16 group[8];

		for (j = 0; j < 8; j++) {
			u32 r = prandom_u32_state(&random);

			switch (r >> 30) {
			case 0:
				group[j] = 0;
				break;
			case 1:
				group[j] = r & 0xff;
				break;
			case 2:
				group[j] = special[r % ARRAY_SIZE(special)];
				break;
			case 3:
				group[j] = r;
				break;
			}
		}
		expect_ipv6(test, group);
	}
}

static void field_test_text_bytes(struct kunit *test)
{
	int c;

	for (c = 1; c <= 255; c++) {
		const char text[] = { 'a', c, 'z', '\0' };
		char *p = buffer_clean(test);

		if (c <= ' ' || c >= 0x7f || c == ',' || c == '\\')
			buffer_expect(test, field_text(p, text, 16, ','), "a\\%03oz", c);
		else
			buffer_expect(test, field_text(p, text, 16, ','), "a%cz", c);
	}
}

static const struct text_case {
	const char *name;
	const char *text;
	size_t max;
	const char *want;
} text_cases[] = {
	{ "plain", "kworker/0:1-events", 64, "kworker/0:1-events" },
	{ "empty", "", 16, "" },
	{ "a NUL ends it", "ab\0cd", 5, "ab" },
	{ "none of it", "abcdef", 0, "" },
	{ "one of it", "abcdef", 1, "a" },
	{ "all but one", "abcdef", 5, "abcde" },
	{ "all of it", "abcdef", 6, "abcdef" },
	{ "more than it has", "abcdef", 7, "abcdef" },
	{ "max counts before escapes", "    ", 3, "\\040\\040\\040" },
	{ "blank, tab, newline", "a b\tc\nd", 16, "a\\040b\\011c\\012d" },
	{ "backslash", "a\\040", 16, "a\\134040" },
	{ "comma", "a,b=c", 16, "a\\054b=c" },
	{ "escape sequence", "\033[2J", 16, "\\033[2J" },
	{ "UTF-8", "\303\251t\303\251", 16, "\\303\\251t\\303\\251" },
	{ "delete", "\177", 16, "\\177" },
};

KUNIT_ARRAY_PARAM_DESC(text, text_cases, name);

static void field_test_text(struct kunit *test)
{
	const struct text_case *c = test->param_value;
	char *p = buffer_clean(test);

	buffer_expect(test, field_text(p, c->text, c->max, ','), "%s", c->want);
}

/* A text as long as its array has no NUL; KASAN sees a byte read beyond. */
static void field_test_text_unterminated(struct kunit *test)
{
	char *p = buffer_clean(test), *text;
	size_t len = 16;

	text = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', len);
	buffer_expect(test, field_text(p, text, len, 0), "xxxxxxxxxxxxxxxx");
}

/* Bytes of each kind, NUL as well, at each place of so many that they go by eights. */
static void field_test_bytes(struct kunit *test)
{
	static const u8 kinds[] = { 0, 1, ' ', '!', '[', '\\', ']', '~', 0x7f, 0x80, 0xff };
	static const char xs[] = "xxxxxxxxxxxxxxxxxx";
	unsigned int len, at, i, c;
	char *p, *bytes;

	for (len = 1; len < sizeof(xs); len++) {
		/* KASAN sees a byte read beyond. */
		bytes = kunit_kmalloc(test, len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, bytes);
		for (at = 0; at < len; at++) {
			for (i = 0; i < ARRAY_SIZE(kinds); i++) {
				c = kinds[i];
				memset(bytes, 'x', len);
				bytes[at] = c;
				p = field_bytes(buffer_clean(test), bytes, len);
				if (c <= ' ' || c >= 0x7f || c == '\\')
					buffer_expect(test, p, "%.*s\\%03o%.*s", at, xs, c,
						      len - at - 1, xs);
				else
					buffer_expect(test, p, "%.*s%c%.*s", at, xs, c,
						      len - at - 1, xs);
			}
		}
	}
	p = buffer_clean(test);
	buffer_expect(test, field_bytes(p, bytes, 0), "%s", "");
}

/* Bytes of each kind at each place of a name, and names of each length. */
static void field_test_comm(struct kunit *test)
{
	static const u8 bytes[] = {
		1, '\n', 0x1f, ' ', '!', '-', '[', '\\', ']', 'x', '~', 0x7f, 0x80,
		0xa1, 0xdc, 0xfe, 0xff,
	};
	char comm[TASK_COMM_LEN], want[4 * TASK_COMM_LEN + FIELD_SLACK];
	unsigned int len, at, i;

	for (len = 1; len <= TASK_COMM_LEN; len++) {
		for (at = 0; at < len; at++) {
			for (i = 0; i < ARRAY_SIZE(bytes); i++) {
				memset(comm, 'x', len);
				memset(comm + len, 0, sizeof(comm) - len);
				comm[at] = bytes[i];
				*field_comm_escaped(want, comm) = '\0';
				buffer_expect(test, field_comm(buffer_clean(test), comm),
					      "%s", want);
			}
		}
	}
	/* What is behind the end is nobody's. */
	memcpy(comm, "ab\0\\ \377defghijkl", sizeof(comm));
	buffer_expect(test, field_comm(buffer_clean(test), comm), "ab");
	memset(comm, 0, sizeof(comm));
	buffer_expect(test, field_comm(buffer_clean(test), comm), "-");
	comm[0] = '-';
	buffer_expect(test, field_comm(buffer_clean(test), comm), "\\055");
}

static struct kunit_case field_tests[] = {
	KUNIT_CASE(field_test_powers_of_ten),
	KUNIT_CASE(field_test_powers_of_two),
	KUNIT_CASE(field_test_inner_zeros),
	KUNIT_CASE(field_test_small_numbers),
	KUNIT_CASE(field_test_random_numbers),
	KUNIT_CASE(field_test_longest_numbers),
	KUNIT_CASE(field_test_str),
	KUNIT_CASE(field_test_digits),
	KUNIT_CASE(field_test_right),
	KUNIT_CASE(field_test_right_zero),
	KUNIT_CASE(field_test_fixed),
	KUNIT_CASE(field_test_right8),
	KUNIT_CASE(field_test_right_in),
	KUNIT_CASE(field_test_ten),
	KUNIT_CASE(field_test_pad),
	KUNIT_CASE(field_test_ipv4),
	KUNIT_CASE(field_test_ipv4_longest),
	KUNIT_CASE(field_test_port),
	KUNIT_CASE_PARAM(field_test_ipv6, ipv6_gen_params),
	KUNIT_CASE(field_test_ipv6_patterns),
	KUNIT_CASE(field_test_ipv6_quads),
	KUNIT_CASE(field_test_ipv6_random),
	KUNIT_CASE(field_test_text_bytes),
	KUNIT_CASE_PARAM(field_test_text, text_gen_params),
	KUNIT_CASE(field_test_text_unterminated),
	KUNIT_CASE(field_test_bytes),
	KUNIT_CASE(field_test_comm),
	{}
};

static int field_test_init(struct kunit *test)
{
	return buffer_make(test, 128);
}

struct kunit_suite field_suite = {
	.name = "knetstat_field",
	.init = field_test_init,
	.test_cases = field_tests,
};
