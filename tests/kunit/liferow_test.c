// SPDX-License-Identifier: GPL-2.0
/*
 * A row of tcplife, as it is written.
 */
#include <linux/limits.h>

#include "../../src/life/row.c"

#include "buffer.h"
#include "suites.h"

#define IPV4(a, b, c, d)	{ .s6_addr = { a, b, c, d } }

static const struct liferow_case {
	const char *name;
	struct life_row row;
	struct life_shown shown;
	const char *line;
} liferow_cases[] = {
	{
		"a session that was accepted",
		{
			.time_us = 1764150000123456ULL, .netns = 4026531840U,
			.ends = {
				.family = AF_INET, .lport = 80, .rport = 50000,
				.laddr = IPV4(127, 0, 0, 1),
				.raddr = IPV4(10, 1, 2, 3),
			},
			.task = { .comm = "nginx" },
			.tx = 48213, .rx = 78, .life_us = 12345,
			.conn_us = LIFE_UNKNOWN_US, .srtt_us = 45, .retx = 2,
			.cgroup = 4711,
			.by = LIFE_BY_CLOSE, .role = LIFE_ROLE_ACPT,
			.end = LIFE_END_FIN,
		},
		{ .seq = 7, .pid = 321, .uid = 33 },
		"       7 1764150000.123456 4026531840     321 nginx            close      33 acpt 127.0.0.1          80 10.1.2.3        50000      48213         78       12.345         -     0.045    2   4711 fin\n",
	}, {
		"a process that its reader may not know",
		{
			.ends = { .family = AF_INET6 },
			.task = { .comm = "secret" },
			.life_us = LIFE_UNKNOWN_US, .conn_us = 1000,
			.srtt_us = LIFE_UNKNOWN_US,
			.by = LIFE_BY_CONNECT, .role = LIFE_ROLE_CONN,
			.end = LIFE_END_TIMEOUT,
		},
		{ .seq = 1 },
		"       1          0.000000          0       - -                -           0 conn ::                  0 ::                  0          0          0            -     1.000         -    0      - timeout\n",
	}, {
		"no process, though there is a PID",
		{
			.ends = { .family = AF_INET }, .life_us = 0,
			.conn_us = LIFE_UNKNOWN_US, .srtt_us = LIFE_UNKNOWN_US,
		},
		{ .seq = 1, .pid = 1 },
		"       1          0.000000          0       - -                -           0 -    0.0.0.0             0 0.0.0.0             0          0          0        0.000         -         -    0      - -\n",
	}, {
		"everything at its widest",
		{
			.time_us = U64_MAX - 1, .netns = U32_MAX,
			.ends = {
				.family = AF_INET6,
				.lport = U16_MAX, .rport = U16_MAX,
				.laddr = { .s6_addr = {
					0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff,
				} },
				.raddr = { .s6_addr = {
					0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff,
					0, 0, 0x5e, 0xfe, 255, 255, 255, 255,
				} },
			},
			.task = { .comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1" },
			.tx = U64_MAX, .rx = U64_MAX, .life_us = U64_MAX - 1,
			.conn_us = U64_MAX - 1, .srtt_us = U64_MAX - 1,
			.retx = U32_MAX, .cgroup = U64_MAX, .by = LIFE_BY_CONNECT,
			.role = LIFE_ROLE_CONN, .end = LIFE_END_TIMEOUT,
		},
		{ .seq = U64_MAX, .pid = U32_MAX, .uid = U32_MAX },
		"18446744073709551615 18446744073709.551614 4294967295 4294967295 \\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001 connect 4294967295 conn ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 ffff:ffff:ffff:ffff:0:5efe:255.255.255.255 65535 18446744073709551615 18446744073709551615 18446744073709551.614 18446744073709551.614 18446744073709551.614 4294967295 18446744073709551615 timeout\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(liferow, liferow_cases, name);

static void liferow_test_write(struct kunit *test)
{
	const struct liferow_case *c = test->param_value;
	char *p = buffer_clean(test);

	buffer_expect(test, life_row_write(p, &c->row, &c->shown), "%s", c->line);
	KUNIT_EXPECT_LE(test, buffer_used(test), LIFE_ROW_MAX);
}

/* Numbers and times of every length that a column has room for, as printf writes them. */
static void liferow_test_lengths(struct kunit *test)
{
	static const u64 values[] = {
		0, 9, 10, 999, 1000, 9999, 10000, 99999, 100000, 9999999, 99999999,
		100000000, 999999999, 1000000000, 4026531840U, U32_MAX, 9999999999ULL,
		10000000000ULL, 12345678901234567ULL,
	};
	struct life_row row = {
		.ends = { .family = AF_INET }, .by = LIFE_BY_USE, .task.comm = "a",
	};
	struct life_shown shown = { .pid = 1 };
	unsigned int i, other;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		other = (i + 5) % ARRAY_SIZE(values);
		shown.seq = values[i] % 100000000;
		row.time_us = values[other] % 10000000000ULL * USEC_PER_SEC + 123;
		row.netns = values[i];
		row.tx = values[i] % 10000000000ULL;
		row.rx = values[other] % 10000000000ULL;
		row.retx = values[other] % 10000;
		row.cgroup = values[i] % 1000000 ?: 1;
		buffer_expect(test, life_row_write(buffer_clean(test), &row, &shown),
			      "%8llu %10llu.000123 %10u       1 a                use         0 -    0.0.0.0             0 0.0.0.0             0 %10llu %10llu        0.000     0.000     0.000 %4u %6llu -\n",
			      shown.seq, values[other] % 10000000000ULL, row.netns, row.tx, row.rx,
			      row.retx, row.cgroup);
	}
}

static const struct liferow_case live_cases[] = {
	{
		"a session that is alive",
		{
			.time_us = 1764150000123456ULL, .netns = 4026531840U,
			.ends = {
				.family = AF_INET, .lport = 50000, .rport = 443,
				.laddr = IPV4(10, 1, 2, 3),
				.raddr = IPV4(192, 0, 2, 1),
			},
			.task = { .comm = "curl" },
			.tx = 78, .rx = 48213, .life_us = 12345,
			.conn_us = 900, .srtt_us = 45, .retx = 2, .cgroup = 1,
			.by = LIFE_BY_USE, .role = LIFE_ROLE_CONN,
			.end = TCP_FIN_WAIT2,
		},
		{ .pid = 321, .uid = 33 },
		"1764150000.123456 4026531840     321 curl             use        33 conn 10.1.2.3        50000 192.0.2.1         443         78      48213       12.345     0.900     0.045    2      1 FNW2\n",
	}, {
		"one that is older than the module",
		{
			.time_us = LIFE_UNKNOWN_US,
			.ends = { .family = AF_INET },
			.life_us = LIFE_UNKNOWN_US, .conn_us = LIFE_UNKNOWN_US,
			.srtt_us = LIFE_UNKNOWN_US, .end = TCP_ESTABLISHED,
		},
		{},
		"                -          0       - -                -           0 -    0.0.0.0             0 0.0.0.0             0          0          0            -         -         -    0      - ESTB\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(live, live_cases, name);

static void liferow_test_live(struct kunit *test)
{
	const struct liferow_case *c = test->param_value;
	char *p = buffer_clean(test);

	buffer_expect(test, life_live_write(p, &c->row, &c->shown), "%s", c->line);
	KUNIT_EXPECT_LE(test, buffer_used(test), LIFE_ROW_MAX);
}

static struct kunit_case liferow_tests[] = {
	KUNIT_CASE_PARAM(liferow_test_write, liferow_gen_params),
	KUNIT_CASE(liferow_test_lengths),
	KUNIT_CASE_PARAM(liferow_test_live, live_gen_params),
	{}
};

static int liferow_test_init(struct kunit *test)
{
	return buffer_make(test, LIFE_ROW_MAX);
}

struct kunit_suite liferow_suite = {
	.name = "knetstat_liferow",
	.init = liferow_test_init,
	.test_cases = liferow_tests,
};
