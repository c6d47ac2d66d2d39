// SPDX-License-Identifier: GPL-2.0
/*
 * Whole rows: where their columns are, and that the widest fits into ROW_MAX.
 */
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "../../src/stat/row.c"

#include "buffer.h"
#include "../../src/stat/diag.h"
#include "../../src/stat/options.h"
#include "suites.h"

/**
 * struct row_case - a row but for its options
 * @text: as it is written
 * @v6: its addresses are IPv6
 * @wide: its columns are wide enough for IPv6, as they are anyway if @v6
 * @recvq: Recv-Q
 * @sendq: Send-Q
 * @local: the local address; the first is the whole of an IPv4 one
 * @foreign: the foreign address
 * @sport: the local port
 * @dport: the foreign port
 * @marks: Diag
 * @drops: Drops
 * @uid: UID
 * @inode: Inode
 */
struct row_case {
	const char *text;
	bool v6, wide;
	u32 recvq, sendq;
	u32 local[4], foreign[4];
	u16 sport, dport;
	unsigned int marks;
	u32 drops;
	uid_t uid;
	u64 inode;
};

static void to_in6(struct in6_addr *addr, const u32 word[4])
{
	int i;

	for (i = 0; i < 4; i++)
		addr->s6_addr32[i] = htonl(word[i]);
}

/* A reader as table.c makes it, in the user namespace of all. */
static struct row_reader *new_reader(struct kunit *test)
{
	struct row_reader *reader = kunit_kmalloc(test, sizeof(*reader),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, reader);
	memset(reader, 0x5a, sizeof(*reader));
	reader->user_ns = &init_user_ns;
	row_uids_init(reader);
	return reader;
}

/* What tcp_row() does around its options, on no socket but its addresses. */
static char *write_columns(struct kunit *test, char *row,
			   const struct row_case *c)
{
	struct sock *sk = kunit_kzalloc(test, sizeof(*sk), GFP_KERNEL);
	bool wide = c->v6 || c->wide;
	char *p;

	KUNIT_ASSERT_NOT_NULL(test, sk);
	if (c->v6) {
		to_in6(&sk->sk_v6_rcv_saddr, c->local);
		to_in6(&sk->sk_v6_daddr, c->foreign);
	} else {
		sk->sk_rcv_saddr = htonl(c->local[0]);
		sk->sk_daddr = htonl(c->foreign[0]);
	}
	p = row_begin(row, c->v6, wide, sk, c->recvq, c->sendq, c->sport, c->dport);
	p = row_diag(field_str(p, "ESTB "), c->marks);
	p = row_drops(p, row, wide, c->drops);
	p = row_uid(p, new_reader(test), KUIDT_INIT(c->uid));
	return row_inode(p, row, wide, c->inode);
}

#define LOOPBACK	{ INADDR_LOOPBACK }
#define LOOPBACK6	{ 0, 0, 0, 1 }
/* The widest that there is: ISATAP, shortened nowhere. */
#define WIDEST6		{ U32_MAX, U32_MAX, 0x02005efe, U32_MAX }
#define ALL_MARKS	(2 * DIAG_BUFFER - 1)
/* U32_MAX is no user. */
#define UID_MAX		(U32_MAX - 1)

static const struct row_case row_cases[] = {
	{ .text =
	  "     0      0 0.0.0.0:*             0.0.0.0:*             ESTB -          0     0        0 ",
	},
	{ .text =
	  "     0      0 127.0.0.1:22          127.0.0.1:40000       ESTB -          0  1000    12345 ",
	  .local = LOOPBACK, .foreign = LOOPBACK, .sport = 22, .dport = 40000,
	  .uid = 1000, .inode = 12345 },
	{ .text =
	  "     7      0 127.0.0.1:22          0.0.0.0:*             ESTB >|         3     0        1 ",
	  .recvq = 7, .local = LOOPBACK, .sport = 22, .marks = DIAG_SND_WND,
	  .drops = 3, .inode = 1 },
	{ .text =
	  "     0      0 127.0.0.1:22          0.0.0.0:*             ESTB K?         0     0        0 ",
	  .local = LOOPBACK, .sport = 22, .marks = DIAG_KEEPALIVE },
	/* Just full, each column. */
	{ .text =
	  "999999 999999 255.255.255.255:65535 255.255.255.255:65535 ESTB >#,>R  99999 65534 99999999 ",
	  .recvq = 999999, .sendq = 999999, .local = { U32_MAX },
	  .foreign = { U32_MAX }, .sport = 65535, .dport = 65535,
	  .marks = DIAG_UNACKED | DIAG_RETRANS, .drops = 99999, .uid = 65534,
	  .inode = 99999999 },
	/* One too wide pushes, and the next gives back what it can. */
	{ .text =
	  "1000000     0 127.0.0.1:1           127.0.0.1:2           ESTB -          0     0        0 ",
	  .recvq = 1000000, .local = LOOPBACK, .foreign = LOOPBACK,
	  .sport = 1, .dport = 2 },
	{ .text =
	  "     0 4294967295 127.0.0.1:1       127.0.0.1:2           ESTB >|<,>#,>R  5 100000      42 ",
	  .sendq = U32_MAX, .local = LOOPBACK, .foreign = LOOPBACK,
	  .sport = 1, .dport = 2, .drops = 5, .uid = 100000, .inode = 42,
	  .marks = DIAG_SND_WND | DIAG_RCV_WND | DIAG_UNACKED | DIAG_RETRANS },
	{ .text =
	  "4294967295 4294967295 255.255.255.255:65535 255.255.255.255:65535 ESTB >|<,>#,>R,K?,!A,C?,!B 4294967295 4294967294 18446744073709551615 ",
	  .recvq = U32_MAX, .sendq = U32_MAX, .local = { U32_MAX },
	  .foreign = { U32_MAX }, .sport = 65535, .dport = 65535,
	  .marks = ALL_MARKS, .drops = U32_MAX, .uid = UID_MAX,
	  .inode = U64_MAX },
	{ .text =
	  "     0      0 127.0.0.1:1           127.0.0.1:2           ESTB -      100000     0 100000000 ",
	  .local = LOOPBACK, .foreign = LOOPBACK, .sport = 1, .dport = 2,
	  .drops = 100000, .inode = 100000000 },
	/* IPv4 in columns for IPv6 */
	{ .text =
	  "     0      0 127.0.0.1:22                                  0.0.0.0:*                                     ESTB C?         0  1000    12345 ",
	  .wide = true, .local = LOOPBACK, .sport = 22, .marks = DIAG_UNCLOSED,
	  .uid = 1000, .inode = 12345 },
	/* IPv6 */
	{ .text =
	  "     0      0 ::1:22                                        :::*                                          ESTB -          0     0        0 ",
	  .v6 = true, .local = LOOPBACK6, .sport = 22 },
	{ .text =
	  "     0      0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535 ESTB -          0     0        0 ",
	  .v6 = true, .local = { U32_MAX, U32_MAX, U32_MAX, U32_MAX },
	  .foreign = { U32_MAX, U32_MAX, U32_MAX, U32_MAX },
	  .sport = 65535, .dport = 65535 },
	{ .text =
	  "     0      0 ffff:ffff:ffff:ffff:200:5efe:255.255.255.255:65535 ffff:ffff:ffff:ffff:200:5efe:255.255.255.255:65535 ESTB - 0     0       0 ",
	  .v6 = true, .local = WIDEST6, .foreign = WIDEST6,
	  .sport = 65535, .dport = 65535 },
};

static void row_test_columns(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(row_cases); i++) {
		char *p = buffer_clean(test);

		buffer_expect(test, write_columns(test, p, &row_cases[i]), "%s",
			      row_cases[i].text);
	}
}

/* Up to @digits of them. */
static u32 random_number(struct rnd_state *random, int digits)
{
	u32 v = prandom_u32_state(random), limit = 1;

	/* A long one and a short one are as likely. */
	for (digits = v % (digits + 1); digits; digits--)
		limit *= 10;
	return prandom_u32_state(random) % limit;
}

/* Rows in which nothing is too wide, against a printf of the header's widths. */
static void row_test_aligned(struct kunit *test)
{
	char local[64], foreign[64], diag[DIAG_MAX + FIELD_SLACK];
	struct rnd_state random;
	int i, j;

	prandom_seed_state(&random, 1);
	for (i = 0; i < 500; i++) {
		struct row_case c = {
			.v6 = i & 1,
			.recvq = random_number(&random, 6),
			.sendq = random_number(&random, 6),
			.sport = 1 + random_number(&random, 4),
			.dport = 1 + random_number(&random, 4),
			.marks = i % 7 ? BIT(i % 7) >> 1 : 0,
			.drops = random_number(&random, 5),
			.uid = random_number(&random, 5),
			.inode = random_number(&random, 8),
		};
		char *p = buffer_clean(test);

		for (j = 0; j < 4; j++) {
			c.local[j] = prandom_u32_state(&random);
			c.foreign[j] = random_number(&random, 3);
		}
		if (c.v6) {
			struct in6_addr addr;

			to_in6(&addr, c.local);
			sprintf(local, "%pI6c:%u", &addr, c.sport);
			to_in6(&addr, c.foreign);
			sprintf(foreign, "%pI6c:%u", &addr, c.dport);
		} else {
			__be32 addr = htonl(c.local[0]);

			sprintf(local, "%pI4:%u", &addr, c.sport);
			addr = htonl(c.foreign[0]);
			sprintf(foreign, "%pI4:%u", &addr, c.dport);
		}
		*diag_write(diag, c.marks) = '\0';
		buffer_expect(test, write_columns(test, p, &c),
			      c.v6 ? "%6u %6u %-45s %-45s ESTB %-6s %5u %5u %8llu " :
				     "%6u %6u %-21s %-21s ESTB %-6s %5u %5u %8llu ",
			      c.recvq, c.sendq, local, foreign, diag, c.drops,
			      c.uid, c.inode);
	}
}

/* Owners are remembered by the last bits of their UIDs. */
static void row_test_uid(struct kunit *test)
{
	static const uid_t uids[] = {
		0, 1, 9, 10, 999, 1000, 65533, 65534, 65535, 99999, 100000,
		16, 32, 1016, UID_MAX - 16, UID_MAX,
	};
	struct row_reader *reader = new_reader(test);
	struct rnd_state random;
	uid_t uid;
	char *p;
	int i;

	/* A fresh one knows none of those that it has room for. */
	for (uid = 0; uid < 3 * ROW_UIDS; uid++) {
		p = buffer_clean(test);
		buffer_expect(test, row_uid(p, reader, KUIDT_INIT(uid)), "%5u ",
			      uid);
	}
	prandom_seed_state(&random, 1);
	for (i = 0; i < 1000; i++) {
		uid = uids[prandom_u32_state(&random) % ARRAY_SIZE(uids)];
		p = buffer_clean(test);
		buffer_expect(test, row_uid(p, reader, KUIDT_INIT(uid)), "%5u ",
			      uid);
	}
}

/* Not a string: a name that is OPTION_TEXT_MAX long has no NUL. */
static const char blanks[OPTION_TEXT_MAX] = "                ";

/* Every option, each with a value that is as wide as its form gets, or nearly. */
static const struct options *widest_options(struct kunit *test)
{
	struct options *opts = kunit_kzalloc(test, sizeof(*opts), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, opts);
	for (i = 0; i < OPTION_COUNT; i++)
		options_set(opts, i, (s64)INT_MIN);
	options_set(opts, OPTION_SO_RCVTIMEO, MAX_SCHEDULE_TIMEOUT - 1);
	options_set(opts, OPTION_SO_SNDTIMEO, MAX_SCHEDULE_TIMEOUT - 1);
	options_set(opts, OPTION_SO_TXTIME, OPTIONS_TXTIME(S32_MIN, U32_MAX));
	options_set_text(opts, OPTION_SO_BINDTODEVICE, blanks);
	options_set_text(opts, OPTION_TCP_CONGESTION, blanks);
	options_set_text(opts, OPTION_TCP_ULP, blanks);
	return opts;
}

/* No socket is all of this at once, so every row has room to spare. */
static void row_test_widest(struct kunit *test)
{
	static const struct row_case c = {
		.v6 = true, .recvq = U32_MAX, .sendq = U32_MAX,
		.local = WIDEST6, .foreign = WIDEST6,
		.sport = 65535, .dport = 65535, .marks = ALL_MARKS,
		.drops = U32_MAX, .uid = UID_MAX, .inode = U64_MAX,
	};
	char *row = buffer_clean(test), *p;
	int fields = 0;

	p = write_columns(test, row, &c);
	p = options_write_tcp(p, widest_options(test));
	*p++ = '\n';
	kunit_info(test, "the widest row: %zu bytes, %zu with slack, of %d",
		   (size_t)(p - row), buffer_used(test), ROW_MAX);
	KUNIT_EXPECT_LE(test, buffer_used(test), ROW_MAX);

	/* The options are the tenth field and the last. */
	*p = '\0';
	while ((row = strpbrk(row, "\n "))) {
		fields++;
		row += strspn(row, "\n ");
	}
	KUNIT_EXPECT_EQ(test, fields, 10);
}

static struct kunit_case row_tests[] = {
	KUNIT_CASE(row_test_columns),
	KUNIT_CASE(row_test_aligned),
	KUNIT_CASE(row_test_uid),
	KUNIT_CASE(row_test_widest),
	{}
};

static int row_test_init(struct kunit *test)
{
	return buffer_make(test, 2 * ROW_MAX);
}

struct kunit_suite row_suite = {
	.name = "knetstat_row",
	.init = row_test_init,
	.test_cases = row_tests,
};
