// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of tcplife: what a socket went through, and what its row says.
 */
#include <linux/limits.h>

#include "../../src/life/end.c"

#include "suites.h"

#define NONE	LIFE_END_NONE
#define FIN	LIFE_END_FIN
#define RESET	LIFE_END_RESET
#define ABORT	LIFE_END_ABORT
#define REFUSED	LIFE_END_REFUSED
#define TIMEOUT	LIFE_END_TIMEOUT
#define UNREACH	LIFE_END_UNREACH

/* Segments after our FIN, those with data, and the bytes that were taken. */
#define AFTER(segs, data, received)					\
	.segs_after = (segs), .data_after = (data), .received_after = (received)

/* The states that a session may leave for CLOSE. */
static const struct {
	const char *name;
	u8 state;
} states[] = {
	{ "ESTABLISHED", TCP_ESTABLISHED },
	{ "SYN_SENT", TCP_SYN_SENT },
	{ "SYN_RECV", TCP_SYN_RECV },
	{ "FIN_WAIT1", TCP_FIN_WAIT1 },
	{ "FIN_WAIT2", TCP_FIN_WAIT2 },
	{ "CLOSE_WAIT", TCP_CLOSE_WAIT },
	{ "LAST_ACK", TCP_LAST_ACK },
	{ "CLOSING", TCP_CLOSING },
};

/**
 * struct cause - what ends a session in any state
 * @name: for the test's output
 * @close: how it shows; of the sequence numbers only whether all is acknowledged
 * @want: in each state, in the order of @states, how that is called
 */
struct cause {
	const char *name;
	struct life_close close;
	enum life_end want[ARRAY_SIZE(states)];
};

static const struct cause causes[] = {
	/*
	 * Packets				ESTAB	SYNS	SYNR	FINW1
	 *					FINW2	CLOSEW	LASTACK	CLOSING
	 */
	{ "the last FIN or its ACK, closed",
	  { .dead = true },			{ ABORT, NONE, ABORT, ABORT,
						  FIN, ABORT, FIN, FIN } },
	{ "the last FIN or its ACK, closed, on top of a task",
	  { .dead = true, .local = true },	{ ABORT, NONE, ABORT, ABORT,
						  FIN, ABORT, FIN, FIN } },
	{ "the last FIN or its ACK, timeouts before",
	  { .dead = true, .retransmits = true }, { ABORT, NONE, ABORT, ABORT,
						  FIN, ABORT, FIN, FIN } },
	{ "a reset",
	  { .err = ECONNRESET, .snd_una = 1 },	{ RESET, NONE, RESET, RESET,
						  RESET, RESET, RESET, RESET } },
	{ "a reset, closed",
	  { .err = ECONNRESET, .snd_una = 1, .dead = true },
						{ RESET, NONE, RESET, RESET,
						  RESET, RESET, RESET, RESET } },
	{ "a reset, all acknowledged",
	  { .err = ECONNRESET, .dead = true },	{ RESET, NONE, RESET, RESET,
						  RESET, RESET, RESET, RESET } },
	{ "a reset, as backlog of a task, timeouts before",
	  { .err = ECONNRESET, .snd_una = 1, .local = true,
	    .retransmits = true },		{ RESET, NONE, RESET, RESET,
						  RESET, RESET, RESET, RESET } },
	{ "a reset after the peer's FIN",
	  { .err = EPIPE, .snd_una = 1 },	{ ABORT, UNREACH, ABORT, ABORT,
						  ABORT, RESET, ABORT, ABORT } },
	{ "refused",
	  { .err = ECONNREFUSED, .snd_una = 1,
	    .segs_in = 1 },			{ ABORT, REFUSED, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "nobody at the port, by ICMP",
	  { .err = ECONNREFUSED, .snd_una = 1 }, { ABORT, UNREACH, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "unreachable, and its owner was quick",
	  { .snd_una = 1 },			{ ABORT, UNREACH, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "refused after a SYN sent again",
	  { .err = ECONNREFUSED, .snd_una = 1, .segs_in = 1,
	    .retransmits = true },
						{ TIMEOUT, REFUSED, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },

	/* Timers */
	{ "timeout",
	  { .err = ETIMEDOUT, .snd_una = 1, .retransmits = true },
						{ TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "timeout, as backlog of a task",
	  { .err = ETIMEDOUT, .snd_una = 1, .retransmits = true,
	    .local = true },			{ TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "timeout of keepalive or user",
	  { .err = ETIMEDOUT, .snd_una = 1 },	{ TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "timeout, and the host was unreachable",
	  { .err = EHOSTUNREACH, .snd_una = 1, .retransmits = true },
						{ TIMEOUT, UNREACH, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "timeout, and its owner was quick (5.10)",
	  { .snd_una = 1, .retransmits = true }, { TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "timeout, closed",
	  { .err = ETIMEDOUT, .snd_una = 1, .retransmits = true,
	    .dead = true },			{ TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, FIN, TIMEOUT,
						  TIMEOUT, TIMEOUT } },

	/* This side */
	{ "ss -K",
	  { .err = ECONNABORTED, .snd_una = 1, .local = true },
						{ ABORT, ABORT, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "ss -K, closed, all acknowledged, timeouts before",
	  { .err = ECONNABORTED, .local = true, .dead = true,
	    .retransmits = true, .fin_received = true, AFTER(1, 1, 0) },
						{ ABORT, ABORT, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "its task",
	  { .snd_una = 1, .local = true },	{ ABORT, NONE, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "its task, timeouts before",
	  { .snd_una = 1, .local = true, .retransmits = true },
						{ ABORT, NONE, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "its task, stale EHOSTUNREACH",
	  { .err = EHOSTUNREACH, .snd_una = 1, .local = true, .acts = true },
						{ ABORT, NONE, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "its task, timeouts before, stale EHOSTUNREACH",
	  { .err = EHOSTUNREACH, .snd_una = 1, .local = true, .acts = true,
	    .retransmits = true },		{ ABORT, NONE, ABORT, ABORT,
						  ABORT, ABORT, ABORT, ABORT } },
	{ "EHOSTUNREACH by a timer, as backlog of a task",
	  { .err = EHOSTUNREACH, .snd_una = 1, .local = true,
	    .retransmits = true },		{ TIMEOUT, UNREACH, TIMEOUT,
						  TIMEOUT, TIMEOUT, TIMEOUT,
						  TIMEOUT, TIMEOUT } },
	{ "its task, stale EPIPE",
	  { .err = EPIPE, .snd_una = 1, .local = true, .acts = true },
						{ ABORT, NONE, ABORT, ABORT,
						  ABORT, RESET, ABORT, ABORT } },
	{ "too many orphans",
	  { .snd_una = 1, .dead = true, .retransmits = true },
						{ ABORT, NONE, ABORT, ABORT,
						  FIN, ABORT, ABORT, ABORT } },
	{ "linger 0, half closed by both",
	  { .snd_una = 1, .local = true, .fin_received = true },
						{ ABORT, NONE, ABORT, ABORT,
						  FIN, ABORT, ABORT, ABORT } },
};

KUNIT_ARRAY_PARAM_DESC(cause, causes, name);

static void life_test_causes(struct kunit *test)
{
	const struct cause *c = test->param_value;
	struct life_close close = c->close;
	int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		close.state = states[i].state;
		KUNIT_EXPECT_EQ_MSG(test, life_end(&close), c->want[i], "%s",
				    states[i].name);
		/* One number is as good as the other. */
		close.snd_una += U32_MAX;
		close.write_seq += U32_MAX;
		KUNIT_EXPECT_EQ_MSG(test, life_end(&close), c->want[i], "%s",
				    states[i].name);
		close = c->close;
	}
}

/* What matters in one state only. */
static const struct end_case {
	const char *name;
	enum life_end want;
	struct life_close close;
} end_cases[] = {
	/* Closed, and only then the peer sends: it is us who reset. */
	{ "data after close, FIN_WAIT1", ABORT,
	  { TCP_FIN_WAIT1, ECONNRESET, AFTER(1, 1, 0), .dead = true,
	    .snd_una = 1 } },
	{ "data after close, FIN_WAIT2", ABORT,
	  { TCP_FIN_WAIT2, ECONNRESET, AFTER(1, 1, 0), .dead = true } },
	{ "data with the ACK of the FIN", ABORT,
	  { TCP_FIN_WAIT2, AFTER(1, 1, 0), .dead = true } },
	{ "data with the ACK of the FIN, FIN_WAIT1", ABORT,
	  { TCP_FIN_WAIT1, AFTER(1, 1, 0), .dead = true } },
	{ "the last data before the peer's FIN", FIN,
	  { TCP_FIN_WAIT2, AFTER(1, 1, 0), .dead = true,
	    .fin_received = true } },
	{ "data before, then closed by both", FIN,
	  { TCP_CLOSING, AFTER(1, 1, 0), .dead = true,
	    .fin_received = true } },
	{ "data before, LAST_ACK", FIN,
	  { TCP_LAST_ACK, AFTER(1, 1, 0), .dead = true,
	    .fin_received = true } },
	{ "data after close, others before it, FIN_WAIT1", ABORT,
	  { TCP_FIN_WAIT1, ECONNRESET, AFTER(3, 1, 0), .dead = true,
	    .snd_una = 1 } },
	{ "a copy of old data, then the ACK of the FIN", FIN,
	  { TCP_FIN_WAIT2, AFTER(2, 1, 0), .dead = true } },
	{ "a copy of old data, then nobody", TIMEOUT,
	  { TCP_FIN_WAIT1, ETIMEDOUT, AFTER(1, 1, 0), .dead = true,
	    .retransmits = true, .snd_una = 1 } },
	{ "half closed, read, then reset", RESET,
	  { TCP_FIN_WAIT1, ECONNRESET, AFTER(2, 2, 10), .dead = true } },
	{ "half closed, read, then closed", FIN,
	  { TCP_FIN_WAIT2, AFTER(2, 2, 10), .dead = true } },
	{ "no data after close, reset", RESET,
	  { TCP_FIN_WAIT1, ECONNRESET, AFTER(2, 0, 0), .dead = true } },
	{ "data while it was open", RESET,
	  { TCP_ESTABLISHED, ECONNRESET, AFTER(1, 1, 0), .snd_una = 1 } },

	/* FIN_WAIT2, which may end in order before the peer's FIN. */
	{ "FIN_WAIT2, closed", FIN,
	  { TCP_FIN_WAIT2, .dead = true } },
	{ "FIN_WAIT2, shut down, then the peer's FIN", FIN,
	  { TCP_FIN_WAIT2, .fin_received = true } },
	{ "FIN_WAIT2, closed, then the peer's FIN", FIN,
	  { TCP_FIN_WAIT2, .fin_received = true, .dead = true } },
	{ "FIN_WAIT2, in use", ABORT,
	  { TCP_FIN_WAIT2, .local = true } },
	{ "FIN_WAIT2, no waiting", ABORT,
	  { TCP_FIN_WAIT2, .dead = true, .abort_linger = true,
	    .local = true } },
	{ "FIN_WAIT2, no waiting, but the FIN came", FIN,
	  { TCP_FIN_WAIT2, .dead = true, .abort_linger = true,
	    .fin_received = true } },
	{ "LAST_ACK, no waiting", FIN,
	  { TCP_LAST_ACK, .dead = true, .abort_linger = true,
	    .fin_received = true } },

	/* An error that nobody fetched is no cause. */
	{ "LAST_ACK, stale EHOSTUNREACH", FIN,
	  { TCP_LAST_ACK, EHOSTUNREACH, .dead = true, .fin_received = true } },
	{ "CLOSING, stale ECONNREFUSED", FIN,
	  { TCP_CLOSING, ECONNREFUSED, .dead = true, .fin_received = true } },
	{ "FIN_WAIT2, stale EHOSTUNREACH", FIN,
	  { TCP_FIN_WAIT2, EHOSTUNREACH, .dead = true } },
	{ "FIN_WAIT2 and FIN, stale EHOSTUNREACH, timeouts before", FIN,
	  { TCP_FIN_WAIT2, EHOSTUNREACH, .fin_received = true,
	    .retransmits = true } },
	{ "LAST_ACK, EPIPE from writing", FIN,
	  { TCP_LAST_ACK, EPIPE, .dead = true, .fin_received = true } },
	{ "TCP_REPAIR", NONE,
	  { TCP_ESTABLISHED, .local = true, .repair = true } },
	{ "SYN_SENT, ECONNRESET of the session before", NONE,
	  { TCP_SYN_SENT, ECONNRESET, .local = true, .snd_una = 1 } },
	{ "SYN_SENT, unreachable", UNREACH,
	  { TCP_SYN_SENT, ENETUNREACH, .snd_una = 1 } },
	{ "SYN_SENT, given up after many SYNs", NONE,
	  { TCP_SYN_SENT, .local = true, .retransmits = true, .snd_una = 1 } },

	/* What is not acknowledged is not over. */
	{ "LAST_ACK, FIN not acknowledged", ABORT,
	  { TCP_LAST_ACK, .dead = true, .fin_received = true,
	    .snd_una = U32_MAX } },
	{ "CLOSING, FIN not acknowledged", ABORT,
	  { TCP_CLOSING, .dead = true, .fin_received = true,
	    .snd_una = 0, .write_seq = 1 } },
	{ "LAST_ACK, acknowledged up to the wrap", FIN,
	  { TCP_LAST_ACK, .dead = true, .fin_received = true,
	    .snd_una = U32_MAX, .write_seq = U32_MAX } },
};

KUNIT_ARRAY_PARAM_DESC(end, end_cases, name);

static void life_test_end(struct kunit *test)
{
	const struct end_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, life_end(&c->close), c->want);
}

enum fin { FIN_NOT, FIN_QUEUED, FIN_IN_FLIGHT, FIN_ACKED };

/**
 * struct story - what one side of a session did
 * @connects: it connected
 * @refused: its SYN was never acknowledged
 * @isn: the number of its SYN
 * @acked: payload that the peer acknowledged
 * @in_flight: payload sent after that
 * @unsent: payload queued after that
 * @again: payload sent again
 * @fin: what became of its FIN
 */
struct story {
	bool connects;
	bool refused;
	u32 isn;
	u64 acked;
	u32 in_flight;
	u32 unsent;
	u64 again;
	enum fin fin;
};

/* Counts as the kernel does, in sequence numbers. */
static struct life_close story_close(const struct story *story, u8 state)
{
	struct life_close close = { .state = state };

	close.bytes_acked = story->acked;
	close.bytes_sent = story->acked + story->in_flight + story->again;
	close.bytes_retrans = story->again;
	close.snd_una = story->isn + (u32)story->acked;
	if (!story->refused) {
		/* The SYN; one that was accepted is counted from there on. */
		close.bytes_acked += story->connects;
		close.snd_una++;
	}
	close.snd_nxt = close.snd_una + story->refused + story->in_flight;
	close.write_seq = close.snd_nxt + story->unsent;
	switch (story->fin) {
	case FIN_NOT:
		break;
	case FIN_QUEUED:
		close.write_seq++;
		break;
	case FIN_IN_FLIGHT:
		close.snd_nxt++;
		close.write_seq++;
		break;
	case FIN_ACKED:
		close.bytes_acked++;
		close.snd_una++;
		close.snd_nxt++;
		close.write_seq++;
		break;
	}
	return close;
}

static void expect_tx(struct kunit *test, const struct story *story, u8 state)
{
	struct life_close close = story_close(story, state);
	enum life_role role = story->connects ? LIFE_ROLE_CONN : LIFE_ROLE_ACPT;

	KUNIT_ASSERT_EQ_MSG(test, life_tx(&close, role), story->acked,
			    "role %d, state %u, FIN %d, in flight %u, unsent %u, again %llu, isn %u",
			    role, state, story->fin, story->in_flight,
			    story->unsent, story->again, story->isn);
	/* It may be older than the module. */
	KUNIT_ASSERT_EQ_MSG(test, life_tx(&close, LIFE_ROLE_NONE), story->acked,
			    "no role, but %d, state %u, FIN %d, in flight %u, unsent %u, again %llu, isn %u",
			    role, state, story->fin, story->in_flight,
			    story->unsent, story->again, story->isn);
}

static const struct fin_case {
	const char *name;
	enum fin fin;
	u8 states[4];
} fin_cases[] = {
	{ "no FIN", FIN_NOT,
	  { TCP_ESTABLISHED, TCP_CLOSE_WAIT, TCP_SYN_RECV } },
	{ "FIN queued", FIN_QUEUED,
	  { TCP_FIN_WAIT1, TCP_LAST_ACK, TCP_CLOSING } },
	{ "FIN in flight", FIN_IN_FLIGHT,
	  { TCP_FIN_WAIT1, TCP_LAST_ACK, TCP_CLOSING } },
	{ "FIN acknowledged", FIN_ACKED,
	  { TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_LAST_ACK, TCP_CLOSING } },
};

KUNIT_ARRAY_PARAM_DESC(fin, fin_cases, name);

static const u64 amounts[] = {
	0, 1, 2, 10, 1448, S32_MAX, U32_MAX - 1, U32_MAX, BIT_ULL(32),
	BIT_ULL(32) + 1, 5000000000ULL,
};

static const u32 windows[] = { 0, 1, 2, 1448, 1 << 30 };

/* The wrap comes at the SYN, in the payload, at the FIN. */
static const u32 isns[] = {
	0, 1, 12345, S32_MAX, U32_MAX - 1449, U32_MAX - 11, U32_MAX - 2,
	U32_MAX - 1, U32_MAX,
};

/* Wherever its numbers begin, and whatever was sent twice. */
static void expect_tx_anyhow(struct kunit *test, struct story *story, u8 state)
{
	int again, isn;

	for (again = 0; again < ARRAY_SIZE(amounts); again++) {
		for (isn = 0; isn < ARRAY_SIZE(isns); isn++) {
			story->again = amounts[again];
			story->isn = isns[isn];
			expect_tx(test, story, state);
		}
	}
}

static bool story_makes_sense(const struct story *story)
{
	switch (story->fin) {
	case FIN_QUEUED:
		/* Else it would have gone out with the last of the payload. */
		return story->unsent;
	case FIN_IN_FLIGHT:
		return !story->unsent;
	case FIN_ACKED:
		return !story->unsent && !story->in_flight;
	default:
		return true;
	}
}

static void expect_tx_in_state(struct kunit *test, enum fin fin, u8 state)
{
	struct story story = { .fin = fin };
	int acked, flight, unsent;

	for (acked = 0; acked < ARRAY_SIZE(amounts); acked++) {
		story.acked = amounts[acked];
		for (flight = 0; flight < ARRAY_SIZE(windows); flight++) {
			story.in_flight = windows[flight];
			for (unsent = 0; unsent < ARRAY_SIZE(windows); unsent++) {
				story.unsent = windows[unsent];
				if (!story_makes_sense(&story))
					continue;
				story.connects = false;
				expect_tx_anyhow(test, &story, state);
				story.connects = true;
				expect_tx_anyhow(test, &story, state);
			}
		}
	}
}

static void life_test_tx(struct kunit *test)
{
	const struct fin_case *c = test->param_value;
	int i;

	for (i = 0; i < ARRAY_SIZE(c->states) && c->states[i]; i++)
		expect_tx_in_state(test, c->fin, c->states[i]);
}

/* A SYN that nobody acknowledged, perhaps with payload (Fast Open). */
static void life_test_tx_syn_sent(struct kunit *test)
{
	struct story story = { .connects = true, .refused = true };
	int flight;

	for (flight = 0; flight < ARRAY_SIZE(windows); flight++) {
		story.in_flight = windows[flight];
		expect_tx_anyhow(test, &story, TCP_SYN_SENT);
		expect_tx_anyhow(test, &story, TCP_SYN_RECV);
	}
}

/* Literally, lest the story has the same mistake. */
static const struct tx_case {
	const char *name;
	u64 want;
	enum life_role role;
	struct life_close close;
} tx_cases[] = {
	{ "connected, 10 bytes, closed", 10, LIFE_ROLE_CONN,
	  { TCP_FIN_WAIT2, .snd_una = 112, .snd_nxt = 112, .write_seq = 112,
	    .bytes_acked = 12, .bytes_sent = 10 } },
	{ "accepted, 10 bytes, closed", 10, LIFE_ROLE_ACPT,
	  { TCP_LAST_ACK, .snd_una = 112, .snd_nxt = 112, .write_seq = 112,
	    .bytes_acked = 11, .bytes_sent = 10 } },
	{ "connected, 10 bytes, reset", 10, LIFE_ROLE_CONN,
	  { TCP_ESTABLISHED, .snd_una = 111, .snd_nxt = 111, .write_seq = 111,
	    .bytes_acked = 11, .bytes_sent = 10 } },
	{ "accepted, 10 bytes, reset", 10, LIFE_ROLE_ACPT,
	  { TCP_ESTABLISHED, .snd_una = 111, .snd_nxt = 111, .write_seq = 111,
	    .bytes_acked = 10, .bytes_sent = 10 } },
	{ "connected, nothing sent", 0, LIFE_ROLE_CONN,
	  { TCP_ESTABLISHED, .snd_una = 101, .snd_nxt = 101, .write_seq = 101,
	    .bytes_acked = 1 } },
	{ "accepted, nothing sent", 0, LIFE_ROLE_ACPT,
	  { TCP_CLOSE_WAIT, .snd_una = 101, .snd_nxt = 101, .write_seq = 101 } },
	{ "older, connected, 4 of 10 bytes, FIN in flight", 4, LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT1, .snd_una = 105, .snd_nxt = 112, .write_seq = 112,
	    .bytes_acked = 5, .bytes_sent = 13, .bytes_retrans = 3 } },
	{ "older, accepted, 4 of 10 bytes, FIN in flight", 4, LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT1, .snd_una = 105, .snd_nxt = 112, .write_seq = 112,
	    .bytes_acked = 4, .bytes_sent = 13, .bytes_retrans = 3 } },
	{ "older, connected, 4 of 10 bytes, FIN behind the rest", 4,
	  LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT1, .snd_una = 105, .snd_nxt = 108, .write_seq = 112,
	    .bytes_acked = 5, .bytes_sent = 7 } },
	{ "older, accepted, 4 of 10 bytes, FIN behind the rest", 4,
	  LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT1, .snd_una = 105, .snd_nxt = 108, .write_seq = 112,
	    .bytes_acked = 4, .bytes_sent = 7 } },
	{ "older, connected, only the FIN was acknowledged", 0, LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT2, .snd_una = 1, .snd_nxt = 1, .write_seq = 1,
	    .bytes_acked = 2 } },
	{ "older, accepted, only the FIN was acknowledged", 0, LIFE_ROLE_NONE,
	  { TCP_FIN_WAIT2, .snd_una = 1, .snd_nxt = 1, .write_seq = 1,
	    .bytes_acked = 1 } },
};

KUNIT_ARRAY_PARAM_DESC(tx, tx_cases, name);

static void life_test_tx_literal(struct kunit *test)
{
	const struct tx_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, life_tx(&c->close, c->role), c->want);
}

static const struct rx_case {
	const char *name;
	u64 want, bytes_received;
	bool fin_received;
} rx_cases[] = {
	{ "nothing", 0, 0, false },
	{ "only a FIN", 0, 1, true },
	{ "a FIN that was not counted", 0, 0, true },
	{ "a byte", 1, 1, false },
	{ "a byte and a FIN", 1, 2, true },
	{ "many, no FIN", 5000000000ULL, 5000000000ULL, false },
	{ "2^32 and a FIN", BIT_ULL(32), BIT_ULL(32) + 1, true },
	{ "2^32 - 1 and a FIN", U32_MAX, BIT_ULL(32), true },
	{ "as many as can be", U64_MAX, U64_MAX, false },
};

KUNIT_ARRAY_PARAM_DESC(rx, rx_cases, name);

static void life_test_rx(struct kunit *test)
{
	const struct rx_case *c = test->param_value;
	struct life_close close = {
		.bytes_received = c->bytes_received,
		.fin_received = c->fin_received,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		close.state = states[i].state;
		KUNIT_EXPECT_EQ(test, life_rx(&close), c->want);
	}
}

static struct kunit_case life_tests[] = {
	KUNIT_CASE_PARAM(life_test_causes, cause_gen_params),
	KUNIT_CASE_PARAM(life_test_end, end_gen_params),
	KUNIT_CASE_PARAM(life_test_tx, fin_gen_params),
	KUNIT_CASE(life_test_tx_syn_sent),
	KUNIT_CASE_PARAM(life_test_tx_literal, tx_gen_params),
	KUNIT_CASE_PARAM(life_test_rx, rx_gen_params),
	{}
};

struct kunit_suite life_suite = {
	.name = "knetstat_life",
	.test_cases = life_tests,
};
