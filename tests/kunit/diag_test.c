// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the Diag column: for each mark what provokes it, and what all
 * but does.
 */
#include "../../src/stat/diag.c"

#include "buffer.h"
#include "suites.h"

#define ALL_MARKS (DIAG_SND_WND | DIAG_RCV_WND | DIAG_UNACKED | DIAG_RETRANS | \
		   DIAG_KEEPALIVE | DIAG_ACCEPT | DIAG_UNCLOSED | DIAG_BUFFER)

/**
 * struct patient - what is unusual about a socket; zeros are a healthy one
 * @name: for the test's output
 * @marks: the marks it should have
 * @state: TCP_ESTABLISHED where it is 0
 * @snd_shut: the peer's window is 0
 * @rcv_shut: our window is 0
 * @una: the first sequence number not acknowledged
 * @unacked: what was sent after it
 * @unsent: what is queued after that
 * @ack_age: jiffies since the last ACK
 * @retransmits: timeouts since then
 * @probes_out: probes since then
 * @keepalive: SO_KEEPALIVE
 * @unacked_syn: no ACK has come yet, not even one for our SYN
 * @backlog: waiting to be accepted
 * @max_backlog: may wait
 */
struct patient {
	const char *name;
	unsigned int marks;
	u8 state;
	bool snd_shut, rcv_shut;
	u32 una;
	s32 unacked;
	u32 unsent;
	u32 ack_age;
	u8 retransmits, probes_out;
	bool keepalive, unacked_syn;
	u32 backlog, max_backlog;
};

static struct diag diag_of(const struct patient *patient)
{
	u32 snd_nxt = patient->una + patient->unacked;

	return (struct diag){
		.state = patient->state ? patient->state : TCP_ESTABLISHED,
		.retransmits = patient->retransmits,
		.probes_out = patient->probes_out,
		.keepalive = patient->keepalive,
		.acked = !patient->unacked_syn,
		.snd_wnd = patient->snd_shut ? 0 : 65535,
		.rcv_wnd = patient->rcv_shut ? 0 : 65535,
		.snd_una = patient->una,
		.snd_nxt = snd_nxt,
		.write_seq = snd_nxt + patient->unsent,
		.ack_age = patient->ack_age,
		.ack_backlog = patient->backlog,
		.max_ack_backlog = patient->max_backlog,
	};
}

static const struct patient patients[] = {
	{ "healthy" },
	{ "healthy, busy", .una = 5, .unacked = 1448, .unsent = 9000 },

	/* Windows */
	{ "the peer's window is shut", DIAG_SND_WND, .snd_shut = true },
	{ "and data waits for it", DIAG_SND_WND, .snd_shut = true, .unsent = 1 },
	{ "our window is shut", DIAG_RCV_WND, .rcv_shut = true },
	{ "both are", DIAG_SND_WND | DIAG_RCV_WND,
	  .snd_shut = true, .rcv_shut = true },

	/* Unacknowledged for more than a second */
	{ "unacknowledged for a second", 0, .unacked = 1, .ack_age = HZ },
	{ "for a tick more", DIAG_UNACKED, .unacked = 1, .ack_age = HZ + 1 },
	{ "for very long", DIAG_UNACKED, .unacked = 1, .ack_age = S32_MAX },
	{ "an ACK just now", 0, .unacked = 1, .ack_age = 0 },
	{ "an ACK from the next tick", 0, .unacked = 1, .ack_age = -1 },
	{ "an ACK from a minute ahead", 0, .unacked = 1, .ack_age = -60 * HZ },
	{ "an ACK from months ago", DIAG_UNACKED, .unacked = 1,
	  .ack_age = S32_MIN },
	{ "an ACK from nearly as long ago as can be told", DIAG_UNACKED,
	  .unacked = 1, .ack_age = -60 * HZ - 1 },
	{ "old ACK, nothing sent", 0, .ack_age = HZ + 1 },
	{ "old ACK, data not sent yet", 0, .unsent = 1, .ack_age = HZ + 1 },
	{ "acknowledged past what was sent", 0, .una = 9, .unacked = -1,
	  .ack_age = HZ + 1 },
	{ "unacknowledged up to the wrap", DIAG_UNACKED, .una = U32_MAX,
	  .unacked = 1, .ack_age = HZ + 1 },
	{ "unacknowledged across the wrap", DIAG_UNACKED, .una = U32_MAX - 10,
	  .unacked = 1448, .ack_age = HZ + 1 },
	{ "unacknowledged at the wrap of signs", DIAG_UNACKED, .una = S32_MAX,
	  .unacked = 1, .ack_age = HZ + 1 },
	{ "unacknowledged as far as can be", DIAG_UNACKED, .una = 77,
	  .unacked = S32_MAX, .ack_age = HZ + 1 },
	{ "acknowledged at the wrap", 0, .una = U32_MAX, .ack_age = HZ + 1 },
	{ "acknowledged past the wrap", 0, .una = 0, .unacked = -1,
	  .ack_age = HZ + 1 },
	{ "unacknowledged, and no ACK ever", 0, .unacked = 1,
	  .ack_age = HZ + 1, .unacked_syn = true },

	/* Closed by the peer for more than a minute */
	{ "closed just now", 0, TCP_CLOSE_WAIT },
	{ "closed for a minute", 0, TCP_CLOSE_WAIT, .ack_age = 60 * HZ },
	{ "for a tick more", DIAG_UNCLOSED, TCP_CLOSE_WAIT,
	  .ack_age = 60 * HZ + 1 },
	{ "for very long", DIAG_UNCLOSED, TCP_CLOSE_WAIT, .ack_age = S32_MAX },
	{ "for months", DIAG_UNCLOSED, TCP_CLOSE_WAIT, .ack_age = S32_MIN },
	{ "for nearly as long as can be told", DIAG_UNCLOSED, TCP_CLOSE_WAIT,
	  .ack_age = -60 * HZ - 1 },
	{ "closed a minute ahead", 0, TCP_CLOSE_WAIT, .ack_age = -60 * HZ },
	{ "closed in the next tick", 0, TCP_CLOSE_WAIT, .ack_age = -1 },
	{ "closed by the SYN itself, which no ACK has followed", 0,
	  TCP_CLOSE_WAIT, .ack_age = 60 * HZ + 1, .unacked_syn = true },
	{ "closed long ago, with data to send", DIAG_UNCLOSED | DIAG_UNACKED,
	  TCP_CLOSE_WAIT, .unacked = 1, .ack_age = 60 * HZ + 1 },
	{ "not closed by the peer", 0, .ack_age = 60 * HZ + 1 },
	{ "closed by this side as well", 0, TCP_LAST_ACK,
	  .ack_age = 60 * HZ + 1 },

	/* Retransmission timeouts */
	{ "one timeout", DIAG_RETRANS, .unacked = 1, .retransmits = 1 },
	{ "many timeouts", DIAG_RETRANS, .unacked = 1, .retransmits = 255 },
	{ "timeout and old ACK", DIAG_RETRANS | DIAG_UNACKED, .unacked = 1,
	  .retransmits = 1, .ack_age = HZ + 1 },

	/* Probes: for an idle connection or for a shut window */
	{ "a keepalive probe", DIAG_KEEPALIVE, .probes_out = 1,
	  .keepalive = true },
	{ "many keepalive probes", DIAG_KEEPALIVE, .probes_out = 255,
	  .keepalive = true },
	{ "a keepalive probe at the wrap", DIAG_KEEPALIVE, .una = U32_MAX,
	  .probes_out = 1, .keepalive = true },
	{ "keepalive, all probes answered", 0, .keepalive = true },
	{ "a probe without keepalive", 0, .probes_out = 1 },
	{ "a window probe", DIAG_SND_WND, .snd_shut = true, .unsent = 1,
	  .probes_out = 1 },
	{ "a window probe with keepalive", DIAG_SND_WND, .snd_shut = true,
	  .unsent = 1, .probes_out = 1, .keepalive = true },
	{ "data queued since the probe", 0, .unsent = 1, .probes_out = 1,
	  .keepalive = true },
	{ "data sent since the probe", 0, .unacked = 1, .probes_out = 1,
	  .keepalive = true },
	{ "shut window and a keepalive probe", DIAG_SND_WND | DIAG_KEEPALIVE,
	  .snd_shut = true, .probes_out = 1, .keepalive = true },

	/* Accept queues */
	{ "nobody waits", 0, TCP_LISTEN, .max_backlog = 128 },
	{ "queue at its limit", 0, TCP_LISTEN, .backlog = 128,
	  .max_backlog = 128 },
	{ "queue over its limit", DIAG_ACCEPT, TCP_LISTEN, .backlog = 129,
	  .max_backlog = 128 },
	{ "listen(fd, 0), nobody", 0, TCP_LISTEN },
	{ "listen(fd, 0), one", DIAG_ACCEPT, TCP_LISTEN, .backlog = 1 },
	{ "listen(fd, -1), as many as can be", 0, TCP_LISTEN,
	  .backlog = U32_MAX, .max_backlog = U32_MAX },
	{ "listen(fd, -1), huge", 0, TCP_LISTEN, .backlog = 1 << 31,
	  .max_backlog = U32_MAX },
	{ "not a listener", 0, .backlog = 129, .max_backlog = 128 },
};

KUNIT_ARRAY_PARAM_DESC(patient, patients, name);

static void diag_test_marks(struct kunit *test)
{
	const struct patient *patient = test->param_value;
	struct diag diag = diag_of(patient);

	KUNIT_EXPECT_EQ(test, diag_marks(&diag), patient->marks);
}

/*
 * Two sockets as ill as can be, in each state: @busy has data that nobody
 * acknowledges; @idle has none, and keepalive probes.
 */
static const struct state_case {
	const char *name;
	u8 state;
	unsigned int busy, idle;
} state_cases[] = {
	{ "ESTABLISHED", TCP_ESTABLISHED,
	  DIAG_SND_WND | DIAG_RCV_WND | DIAG_UNACKED | DIAG_RETRANS,
	  DIAG_SND_WND | DIAG_RCV_WND | DIAG_KEEPALIVE },
	/* No window is known yet, and no ACK can be old. */
	{ "SYN_SENT", TCP_SYN_SENT, DIAG_RETRANS, DIAG_KEEPALIVE },
	{ "SYN_RECV", TCP_SYN_RECV, DIAG_RETRANS, DIAG_KEEPALIVE },
	{ "FIN_WAIT1", TCP_FIN_WAIT1,
	  DIAG_SND_WND | DIAG_RCV_WND | DIAG_UNACKED | DIAG_RETRANS,
	  DIAG_SND_WND | DIAG_RCV_WND | DIAG_KEEPALIVE },
	/* Our FIN is acknowledged: nothing is left to send. */
	{ "FIN_WAIT2", TCP_FIN_WAIT2, DIAG_RCV_WND | DIAG_RETRANS,
	  DIAG_RCV_WND | DIAG_KEEPALIVE },
	{ "CLOSE", TCP_CLOSE, 0, 0 },
	/* The peer's FIN is here: nothing is left to receive. */
	{ "CLOSE_WAIT", TCP_CLOSE_WAIT,
	  DIAG_SND_WND | DIAG_UNACKED | DIAG_RETRANS,
	  DIAG_SND_WND | DIAG_KEEPALIVE },
	{ "LAST_ACK", TCP_LAST_ACK,
	  DIAG_SND_WND | DIAG_UNACKED | DIAG_RETRANS,
	  DIAG_SND_WND | DIAG_KEEPALIVE },
	{ "CLOSING", TCP_CLOSING,
	  DIAG_SND_WND | DIAG_UNACKED | DIAG_RETRANS,
	  DIAG_SND_WND | DIAG_KEEPALIVE },
	/* Only its queue counts, whatever the rest holds. */
	{ "LISTEN", TCP_LISTEN, DIAG_ACCEPT, 0 },
};

KUNIT_ARRAY_PARAM_DESC(state, state_cases, name);

static void diag_test_states(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	const struct patient busy = {
		.state = c->state, .snd_shut = true, .rcv_shut = true,
		.unacked = 1448, .unsent = 1, .ack_age = HZ + 1,
		.retransmits = 3, .probes_out = 3, .keepalive = true,
		.backlog = 2, .max_backlog = 1,
	};
	const struct patient idle = {
		.state = c->state, .snd_shut = true, .rcv_shut = true,
		.ack_age = HZ + 1, .probes_out = 3, .keepalive = true,
		.backlog = 1, .max_backlog = 1,
	};
	struct diag diag;

	diag = diag_of(&busy);
	KUNIT_EXPECT_EQ(test, diag_marks(&diag), c->busy);
	diag = diag_of(&idle);
	KUNIT_EXPECT_EQ(test, diag_marks(&diag), c->idle);
}

static void diag_test_udp(struct kunit *test)
{
	/* Where any datagram is taken: empty, just full, one byte more. */
	KUNIT_EXPECT_EQ(test, diag_marks_udp(0, 4608, 0), 0);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(4608, 4608, 0), 0);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(4609, 4608, 0), DIAG_BUFFER);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(1, 0, 0), DIAG_BUFFER);
	/* Where it must fit: it just does, and just does not. */
	KUNIT_EXPECT_EQ(test, diag_marks_udp(3840, 4608, 768), 0);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(3840, 4607, 768), DIAG_BUFFER);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(3841, 4608, 768), DIAG_BUFFER);
	/* As large as they can be. */
	KUNIT_EXPECT_EQ(test, diag_marks_udp(S32_MAX, S32_MAX, 0), 0);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(1U + S32_MAX, S32_MAX, 0), DIAG_BUFFER);
	KUNIT_EXPECT_EQ(test, diag_marks_udp(U32_MAX, S32_MAX, U32_MAX), DIAG_BUFFER);
}

/* The marks, by the bits of enum diag_mark. */
static const char * const mark_texts[] = { ">|", "|<", ">#", ">R", "K?", "!A",
					   "C?", "!B" };

static void diag_test_write(struct kunit *test)
{
	unsigned int marks;

	KUNIT_ASSERT_EQ(test, ALL_MARKS, BIT(ARRAY_SIZE(mark_texts)) - 1);
	for (marks = 0; marks <= ALL_MARKS; marks++) {
		char want[32] = "", *p = buffer_clean(test);
		unsigned int i = 0;

		if ((marks & 3) == 3) {
			strcat(want, ",>|<");
			i = 2;
		}
		for (; i < ARRAY_SIZE(mark_texts); i++) {
			if (marks & BIT(i)) {
				strcat(want, ",");
				strcat(want, mark_texts[i]);
			}
		}
		buffer_expect(test, diag_write(p, marks), "%s",
			      marks ? want + 1 : "-");
	}
}

static const struct write_case {
	const char *text;
	unsigned int marks;
} write_cases[] = {
	{ "-", 0 },
	{ ">|", DIAG_SND_WND },
	{ "|<", DIAG_RCV_WND },
	{ ">|<", DIAG_SND_WND | DIAG_RCV_WND },
	{ ">#", DIAG_UNACKED },
	{ ">R", DIAG_RETRANS },
	{ "K?", DIAG_KEEPALIVE },
	{ "!A", DIAG_ACCEPT },
	{ ">#,>R", DIAG_UNACKED | DIAG_RETRANS },
	{ "|<,K?", DIAG_RCV_WND | DIAG_KEEPALIVE },
	{ "C?", DIAG_UNCLOSED },
	{ "!B", DIAG_BUFFER },
	{ ">#,C?", DIAG_UNACKED | DIAG_UNCLOSED },
	{ ">|<,>#,>R,K?,!A,C?,!B", ALL_MARKS },
};

static void diag_test_texts(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(write_cases); i++) {
		char *p = buffer_clean(test);

		buffer_expect(test, diag_write(p, write_cases[i].marks), "%s",
			      write_cases[i].text);
	}
}

static struct kunit_case diag_tests[] = {
	KUNIT_CASE_PARAM(diag_test_marks, patient_gen_params),
	KUNIT_CASE_PARAM(diag_test_states, state_gen_params),
	KUNIT_CASE(diag_test_udp),
	KUNIT_CASE(diag_test_write),
	KUNIT_CASE(diag_test_texts),
	{}
};

static int diag_test_init(struct kunit *test)
{
	return buffer_make(test, 128);
}

struct kunit_suite diag_suite = {
	.name = "knetstat_diag",
	.init = diag_test_init,
	.test_cases = diag_tests,
};
