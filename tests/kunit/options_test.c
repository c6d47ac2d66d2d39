// SPDX-License-Identifier: GPL-2.0
/*
 * The text of every socket option, alone, at its extremes and among others.
 */
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "../../src/stat/options.c"

#include "buffer.h"
#include "suites.h"

/* A row's options before sockopt.c has collected any: it clears nothing else. */
static struct options *no_options(struct kunit *test)
{
	struct options *opts = kunit_kmalloc(test, sizeof(*opts), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, opts);
	memset(opts, 0x5a, sizeof(*opts));
	opts->set = 0;
	return opts;
}

/**
 * struct option_case - an option and how it is shown
 * @text: as it is shown, without the comma
 * @option: the option
 * @value: its value
 * @name: its value, for TEXT
 */
struct option_case {
	const char *text;
	enum option option;
	u64 value;
	const char *name;
};

static void set_option(struct options *opts, const struct option_case *c)
{
	opts->set |= BIT_ULL(c->option);
	if (c->name)
		opts->v[c->option].text = c->name;
	else
		opts->v[c->option].value = c->value;
}

/* Each option once, in the order of the column. */
static const struct option_case each[] = {
	{ "SO_RCVBUF=106496", OPTION_SO_RCVBUF, 106496 },
	{ "SO_SNDBUF=2304", OPTION_SO_SNDBUF, 2304 },
	{ "SO_RCVTIMEO=5000ms", OPTION_SO_RCVTIMEO, 5 * HZ },
	{ "SO_SNDTIMEO=500ms", OPTION_SO_SNDTIMEO, HZ / 2 },
	{ "SO_LINGER=5s", OPTION_SO_LINGER, 5 },
	{ "SO_BINDTODEVICE=eth0.100", OPTION_SO_BINDTODEVICE, .name = "eth0.100" },
	{ "SO_PRIORITY=6", OPTION_SO_PRIORITY, 6 },
	{ "SO_MARK=4294967295", OPTION_SO_MARK, U32_MAX },
	{ "SO_RCVLOWAT=4096", OPTION_SO_RCVLOWAT, 4096 },
	{ "SO_OOBINLINE=1", OPTION_SO_OOBINLINE, 1 },
	{ "SO_BUSY_POLL=50", OPTION_SO_BUSY_POLL, 50 },
	{ "SO_MAX_PACING_RATE=125000000", OPTION_SO_MAX_PACING_RATE, 125000000 },
	{ "SO_TIMESTAMPING=65535", OPTION_SO_TIMESTAMPING, 65535 },
	{ "SO_ZEROCOPY=1", OPTION_SO_ZEROCOPY, 1 },
	{ "SO_TXTIME=11:1", OPTION_SO_TXTIME, OPTIONS_TXTIME(11, 1) },
	{ "SO_NO_CHECK=1", OPTION_SO_NO_CHECK, 1 },
	{ "IP_TOS=16", OPTION_IP_TOS, 16 },
	{ "IP_TTL=255", OPTION_IP_TTL, 255 },
	{ "IP_MTU_DISCOVER=2", OPTION_IP_MTU_DISCOVER, 2 },
	{ "IP_FREEBIND=1", OPTION_IP_FREEBIND, 1 },
	{ "IP_TRANSPARENT=1", OPTION_IP_TRANSPARENT, 1 },
	{ "IP_BIND_ADDRESS_NO_PORT=1", OPTION_IP_BIND_ADDRESS_NO_PORT, 1 },
	{ "IP_RECVERR=1", OPTION_IP_RECVERR, 1 },
	{ "IPV6_V6ONLY=1", OPTION_IPV6_V6ONLY, 1 },
	{ "IPV6_TCLASS=184", OPTION_IPV6_TCLASS, 184 },
	{ "IPV6_UNICAST_HOPS=0", OPTION_IPV6_UNICAST_HOPS, 0 },
	{ "IPV6_RECVERR=1", OPTION_IPV6_RECVERR, 1 },
	{ "TCP_FASTOPEN=0", OPTION_TCP_FASTOPEN, 0 },
	{ "TCP_DEFER_ACCEPT=7", OPTION_TCP_DEFER_ACCEPT, 7 },
	{ "TCP_KEEPIDLE=60", OPTION_TCP_KEEPIDLE, 60 },
	{ "TCP_KEEPINTVL=10", OPTION_TCP_KEEPINTVL, 10 },
	{ "TCP_KEEPCNT=3", OPTION_TCP_KEEPCNT, 3 },
	{ "TCP_USER_TIMEOUT=30000", OPTION_TCP_USER_TIMEOUT, 30000 },
	{ "TCP_SYNCNT=2", OPTION_TCP_SYNCNT, 2 },
	{ "TCP_LINGER2=-1", OPTION_TCP_LINGER2, (u64)-1 },
	{ "TCP_MAXSEG=1200", OPTION_TCP_MAXSEG, 1200 },
	{ "TCP_CORK=1", OPTION_TCP_CORK, 1 },
	{ "TCP_FASTOPEN_CONNECT=1", OPTION_TCP_FASTOPEN_CONNECT, 1 },
	{ "TCP_FASTOPEN_NO_COOKIE=1", OPTION_TCP_FASTOPEN_NO_COOKIE, 1 },
	{ "TCP_NOTSENT_LOWAT=131072", OPTION_TCP_NOTSENT_LOWAT, 131072 },
	{ "TCP_SAVE_SYN=2", OPTION_TCP_SAVE_SYN, 2 },
	{ "TCP_THIN_LINEAR_TIMEOUTS=1", OPTION_TCP_THIN_LINEAR_TIMEOUTS, 1 },
	{ "TCP_REPAIR=1", OPTION_TCP_REPAIR, 1 },
	{ "TCP_CONGESTION=bbr", OPTION_TCP_CONGESTION, .name = "bbr" },
	{ "TCP_ULP=tls", OPTION_TCP_ULP, .name = "tls" },
	{ "TCP_MD5SIG=1", OPTION_TCP_MD5SIG, 1 },
	{ "TCP_AO=1", OPTION_TCP_AO, 1 },
	{ "UDP_CORK=1", OPTION_UDP_CORK, 1 },
	{ "UDP_SEGMENT=1472", OPTION_UDP_SEGMENT, 1472 },
	{ "UDP_GRO=1", OPTION_UDP_GRO, 1 },
	{ "UDP_ENCAP=2", OPTION_UDP_ENCAP, 2 },
	{ "UDP_NO_CHECK6_TX=1", OPTION_UDP_NO_CHECK6_TX, 1 },
	{ "UDP_NO_CHECK6_RX=1", OPTION_UDP_NO_CHECK6_RX, 1 },
};

static_assert(ARRAY_SIZE(each) == OPTION_COUNT);

KUNIT_ARRAY_PARAM_DESC(each, each, text);

/* The same as @ticks of SO_RCVTIMEO. */
#define TIMEOUT(ticks, text) \
	{ "SO_RCVTIMEO=" text "ms", OPTION_SO_RCVTIMEO, (ticks) }

/* The forms, at their extremes. */
static const struct option_case forms[] = {
	/* DEC */
	{ "SO_RCVBUF=0", OPTION_SO_RCVBUF, 0 },
	{ "SO_RCVBUF=9", OPTION_SO_RCVBUF, 9 },
	{ "SO_RCVBUF=10", OPTION_SO_RCVBUF, 10 },
	{ "SO_RCVBUF=1073741823", OPTION_SO_RCVBUF, INT_MAX / 2 },
	{ "SO_RCVLOWAT=2147483647", OPTION_SO_RCVLOWAT, INT_MAX },
	{ "TCP_LINGER2=-2147483648", OPTION_TCP_LINGER2, (u64)INT_MIN },
	{ "UDP_NO_CHECK6_RX=-9223372036854775808", OPTION_UDP_NO_CHECK6_RX,
	  (u64)S64_MIN },
	{ "UDP_NO_CHECK6_RX=9223372036854775807", OPTION_UDP_NO_CHECK6_RX,
	  S64_MAX },
	/* UINT */
	{ "SO_PRIORITY=0", OPTION_SO_PRIORITY, 0 },
	{ "SO_PRIORITY=2147483648", OPTION_SO_PRIORITY, 1U << 31 },
	{ "SO_PRIORITY=4294967295", OPTION_SO_PRIORITY, U32_MAX },
	{ "SO_MAX_PACING_RATE=4294967296", OPTION_SO_MAX_PACING_RATE,
	  U32_MAX + 1ULL },
	{ "SO_MAX_PACING_RATE=18446744073709551615", OPTION_SO_MAX_PACING_RATE,
	  U64_MAX },
	/* MSEC */
	TIMEOUT(0, "0"),
	TIMEOUT(HZ / 10, "100"),
	TIMEOUT(HZ, "1000"),
	TIMEOUT(HZ + HZ / 10, "1100"),
	TIMEOUT(59 * HZ, "59000"),
	TIMEOUT(86400 * HZ + HZ / 2, "86400500"),
#if BITS_PER_LONG == 64
#if HZ == 100
	TIMEOUT(MAX_SCHEDULE_TIMEOUT - 1, "92233720368547758060"),
#elif HZ == 250
	TIMEOUT(MAX_SCHEDULE_TIMEOUT - 1, "36893488147419103224"),
#elif HZ == 300
	TIMEOUT(MAX_SCHEDULE_TIMEOUT - 1, "30744573456182586020"),
#elif HZ == 1000
	TIMEOUT(MAX_SCHEDULE_TIMEOUT - 1, "9223372036854775806"),
#endif
#endif
	/* SEC: SO_LINGER takes seconds as an int, and negative ones as many */
	{ "SO_LINGER=0s", OPTION_SO_LINGER, 0 },
	{ "SO_LINGER=2147483647s", OPTION_SO_LINGER, INT_MAX },
	{ "SO_LINGER=-1s", OPTION_SO_LINGER, (u64)-1 },
	{ "SO_LINGER=-2147483648s", OPTION_SO_LINGER, (u64)INT_MIN },
	/* TEXT: any byte but '/' and blanks may be in an interface's name */
	{ "SO_BINDTODEVICE=a", OPTION_SO_BINDTODEVICE, .name = "a" },
	{ "SO_BINDTODEVICE=fifteen-letters", OPTION_SO_BINDTODEVICE,
	  .name = "fifteen-letters" },
	{ "SO_BINDTODEVICE=sixteen--letters", OPTION_SO_BINDTODEVICE,
	  .name = "sixteen--letters, and what is behind" },
	{ "SO_BINDTODEVICE=a\\054IP_TOS=1", OPTION_SO_BINDTODEVICE,
	  .name = "a,IP_TOS=1" },
	{ "SO_BINDTODEVICE=\\303\\251\\134", OPTION_SO_BINDTODEVICE,
	  .name = "\303\251\\" },
	/* TXTIME */
	{ "SO_TXTIME=0:0", OPTION_SO_TXTIME, OPTIONS_TXTIME(0, 0) },
	{ "SO_TXTIME=1:3", OPTION_SO_TXTIME, OPTIONS_TXTIME(1, 3) },
	{ "SO_TXTIME=-1:0", OPTION_SO_TXTIME, OPTIONS_TXTIME(-1, 0) },
	{ "SO_TXTIME=2147483647:4294967295", OPTION_SO_TXTIME,
	  OPTIONS_TXTIME(S32_MAX, U32_MAX) },
	{ "SO_TXTIME=-2147483648:4294967295", OPTION_SO_TXTIME,
	  OPTIONS_TXTIME(S32_MIN, U32_MAX) },
};

KUNIT_ARRAY_PARAM_DESC(form, forms, text);

static void expect_option(struct kunit *test, const struct option_case *c)
{
	struct options *opts = no_options(test);
	char *p = buffer_clean(test);

	set_option(opts, c);
	buffer_expect(test, options_write_rest(p, opts), ",%s", c->text);
}

static void options_test_each(struct kunit *test)
{
	expect_option(test, test->param_value);
}

static void options_test_form(struct kunit *test)
{
	expect_option(test, test->param_value);
}

static void options_test_order(struct kunit *test)
{
	int i;

	for (i = 0; i < OPTION_COUNT; i++)
		KUNIT_EXPECT_EQ_MSG(test, each[i].option, i, "%s", each[i].text);
}

/* As getsockopt does, by way of microseconds: whole milliseconds of those. */
static void options_test_msec(struct kunit *test)
{
	struct options *opts = no_options(test);
	struct rnd_state random;
	int i;

	prandom_seed_state(&random, 1);
	for (i = 0; i < 3 * HZ; i++) {
		/* Each tick of a second, then anything at all. */
		unsigned long ticks = i <= HZ ? i :
			((unsigned long)prandom_u32_state(&random) << 31 |
			 prandom_u32_state(&random)) >> i % BITS_PER_LONG;
		unsigned long secs = ticks / HZ;
		unsigned long usec = ticks % HZ * USEC_PER_SEC / HZ;
		char *p = buffer_clean(test);

		options_set(opts, OPTION_SO_SNDTIMEO, ticks);
		if (secs)
			buffer_expect(test, options_write_rest(p, opts),
				      ",SO_SNDTIMEO=%lu%03lums", secs,
				      usec / USEC_PER_MSEC);
		else
			buffer_expect(test, options_write_rest(p, opts),
				      ",SO_SNDTIMEO=%lums", usec / USEC_PER_MSEC);
	}
}

/* Those of every TCP row. SO_REUSEADDR is 2 where TCP_REPAIR set it. */
static void options_test_tcp(struct kunit *test)
{
	struct options *opts = no_options(test);
	int i;

	for (i = 0; i < 3 * 2 * 2 * 2; i++) {
		char *p = buffer_clean(test);

		opts->nodelay = i & 1;
		opts->keepalive = i >> 1 & 1;
		opts->reuseport = i >> 2 & 1;
		opts->reuse = i >> 3;
		buffer_expect(test, options_write_tcp(p, opts),
			      "SO_REUSEADDR=%u,SO_REUSEPORT=%u,SO_KEEPALIVE=%u,TCP_NODELAY=%u",
			      opts->reuse, opts->reuseport, opts->keepalive,
			      opts->nodelay);
	}
}

/* Those of every UDP row. */
static void options_test_udp(struct kunit *test)
{
	struct options *opts = no_options(test);
	int i;

	for (i = 0; i < 3 * 2 * 2; i++) {
		char *p = buffer_clean(test);

		opts->broadcast = i & 1;
		opts->reuseport = i >> 1 & 1;
		opts->reuse = i >> 2;
		buffer_expect(test, options_write_udp(p, opts),
			      "SO_REUSEADDR=%u,SO_REUSEPORT=%u,SO_BROADCAST=%u",
			      opts->reuse, opts->reuseport, opts->broadcast);
	}
}

static void options_test_listener(struct kunit *test)
{
	struct options *opts = no_options(test);
	char *p = buffer_clean(test);

	opts->reuse = 1;
	opts->reuseport = 0;
	opts->keepalive = 0;
	opts->nodelay = 1;
	options_set(opts, OPTION_TCP_DEFER_ACCEPT, 0);
	options_set(opts, OPTION_TCP_FASTOPEN, 5);
	options_set_text(opts, OPTION_SO_BINDTODEVICE, "lo");
	buffer_expect(test, options_write_tcp(p, opts),
		      "SO_REUSEADDR=1,SO_REUSEPORT=0,SO_KEEPALIVE=0,TCP_NODELAY=1,SO_BINDTODEVICE=lo,TCP_FASTOPEN=5,TCP_DEFER_ACCEPT=0");
}

static void options_test_datagrams(struct kunit *test)
{
	struct options *opts = no_options(test);
	char *p = buffer_clean(test);

	opts->reuse = 0;
	opts->reuseport = 1;
	opts->broadcast = 1;
	options_set(opts, OPTION_UDP_GRO, 1);
	options_set(opts, OPTION_SO_RCVBUF, 1048576);
	buffer_expect(test, options_write_udp(p, opts),
		      "SO_REUSEADDR=0,SO_REUSEPORT=1,SO_BROADCAST=1,SO_RCVBUF=1048576,UDP_GRO=1");
}

/* Sets the options of @set, last first, and expects them in order. */
static void expect_set(struct kunit *test, struct options *opts, char *want,
		       u64 set)
{
	char *p = buffer_clean(test), *end = want;
	int i;

	opts->set = 0;
	for (i = OPTION_COUNT - 1; i >= 0; i--) {
		if (set & BIT_ULL(i))
			set_option(opts, &each[i]);
	}
	KUNIT_ASSERT_EQ(test, opts->set, set);

	*end = '\0';
	for (i = 0; i < OPTION_COUNT; i++) {
		if (set & BIT_ULL(i))
			end += sprintf(end, ",%s", each[i].text);
	}
	buffer_expect(test, options_write_rest(p, opts), "%s", want);
}

static void options_test_sets(struct kunit *test)
{
	const u64 all = GENMASK_ULL(OPTION_COUNT - 1, 0);
	struct options *opts = no_options(test);
	char *want = kunit_kmalloc(test, 4096, GFP_KERNEL);
	struct rnd_state random;
	int i, j;

	KUNIT_ASSERT_NOT_NULL(test, want);
	expect_set(test, opts, want, 0);
	expect_set(test, opts, want, all);
	for (i = 0; i < OPTION_COUNT; i++) {
		for (j = 0; j < i; j++)
			expect_set(test, opts, want, BIT_ULL(i) | BIT_ULL(j));
	}
	prandom_seed_state(&random, 1);
	for (i = 0; i < 200; i++)
		expect_set(test, opts, want,
			   ((u64)prandom_u32_state(&random) << 32 |
			    prandom_u32_state(&random)) & all);
}

/*
 * What getsockopt(TCP_DEFER_ACCEPT) returns for each number of SYN-ACKs: they
 * wait 1, 2, 4 ... 64 seconds, then 120 each.
 */
static void options_test_defer(struct kunit *test)
{
	static const unsigned int secs[] = {
		0, 1, 3, 7, 15, 31, 63, 127, 247, 367, 487,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(secs); i++)
		KUNIT_ASSERT_EQ(test, options_defer_secs(i), secs[i]);
	for (; i <= U8_MAX; i++)
		KUNIT_ASSERT_EQ(test, options_defer_secs(i),
				127 + 120 * (i - 7));
}

static struct kunit_case options_tests[] = {
	KUNIT_CASE_PARAM(options_test_each, each_gen_params),
	KUNIT_CASE_PARAM(options_test_form, form_gen_params),
	KUNIT_CASE(options_test_order),
	KUNIT_CASE(options_test_msec),
	KUNIT_CASE(options_test_tcp),
	KUNIT_CASE(options_test_udp),
	KUNIT_CASE(options_test_listener),
	KUNIT_CASE(options_test_datagrams),
	KUNIT_CASE(options_test_sets),
	KUNIT_CASE(options_test_defer),
	{}
};

static int options_test_init(struct kunit *test)
{
	return buffer_make(test, 2048);
}

struct kunit_suite options_suite = {
	.name = "knetstat_options",
	.init = options_test_init,
	.test_cases = options_tests,
};
