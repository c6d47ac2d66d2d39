// SPDX-License-Identifier: GPL-2.0
/*
 * What sockowner keeps, in what order its rows come, and how they are written.
 */
#include <linux/cred.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "../../src/owner/array.c"
#include "../../src/owner/found.c"
#include "../../src/owner/front.c"
#include "../../src/owner/map.c"
#include "../../src/owner/memory.c"
#include "../../src/owner/path.c"
#include "../../src/owner/text.c"

#include "suites.h"

static void free_found(void *data)
{
	struct owner_found *found = data;
	struct owner_account *account = found->memory.account;

	owner_found_free(found);
	/* All that was taken has been given back. */
	WARN_ON(account->files == 1 && account->bytes);
	owner_memory_exit(&found->memory);
}

static struct owner_found *make_found(struct kunit *test)
{
	struct owner_found *found = kunit_kzalloc(test, sizeof(*found), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, found);
	KUNIT_ASSERT_EQ(test, owner_memory_init(&found->memory, current_cred()), 0);
	owner_found_init(found);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_found, found), 0);
	return found;
}

static struct owner_sock *add_sock(struct kunit *test, struct owner_found *found,
				   bool held)
{
	struct owner_sock *sock;
	int err;

	sock = owner_array_add(&found->socks, &err);
	KUNIT_ASSERT_NOT_NULL(test, sock);
	*sock = (struct owner_sock){
		.inode = found->socks.count,
		.held = held ? OWNER_HELD_FD : OWNER_HELD_UNKNOWN,
	};
	return sock;
}

static void add_fd(struct kunit *test, struct owner_found *found, u32 fd, u32 sock)
{
	struct owner_fd *added;
	int err;

	added = owner_array_add(&found->fds, &err);
	KUNIT_ASSERT_NOT_NULL(test, added);
	*added = (struct owner_fd){ fd, sock };
}

static void add_process(struct kunit *test, struct owner_found *found, u32 pid,
			u32 shares, u32 first)
{
	struct owner_process *process;
	int err;

	process = owner_array_add(&found->processes, &err);
	KUNIT_ASSERT_NOT_NULL(test, process);
	*process = (struct owner_process){
		pid, shares, first, found->fds.count - first, "x"
	};
}

#define FDS_A_CHUNK	(OWNER_CHUNK / sizeof(struct owner_fd))

static const struct count_case {
	const char *name;
	unsigned int count;
} count_cases[] = {
	{ "none", 0 },
	{ "1", 1 },
	{ "a chunk less one", FDS_A_CHUNK - 1 },
	{ "a chunk", FDS_A_CHUNK },
	{ "a chunk and one", FDS_A_CHUNK + 1 },
	{ "more chunks than there was room for", 40 * FDS_A_CHUNK + 5 },
};

KUNIT_ARRAY_PARAM_DESC(count, count_cases, name);

/* That there are the descriptors @first, @first + 1 and so on. */
static void expect_fds(struct kunit *test, const struct owner_found *found,
		       unsigned int count)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, found->fds.count, (unsigned long)count);
	for (i = 0; i < count; i++) {
		const struct owner_fd *fd = owner_array_at(&found->fds, struct owner_fd, i);

		KUNIT_ASSERT_EQ(test, fd->fd, i);
	}
}

static void owner_test_array(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_found *found = make_found(test);
	size_t bytes = found->memory.account->bytes;
	unsigned int i;

	for (i = 0; i < c->count; i++)
		add_fd(test, found, i, 0);
	expect_fds(test, found, c->count);
	for (i = 0; i < 1500; i++)
		add_fd(test, found, c->count + i, 0);
	expect_fds(test, found, c->count + 1500);
	owner_array_truncate(&found->fds, c->count);
	expect_fds(test, found, c->count);
	for (i = 0; i < 1500; i++)
		add_fd(test, found, c->count + i, 0);
	expect_fds(test, found, c->count + 1500);
	KUNIT_EXPECT_GE(test, found->memory.account->bytes - bytes,
			found->fds.count * sizeof(struct owner_fd));
	owner_array_free(&found->fds);
	expect_fds(test, found, 0);
	KUNIT_EXPECT_EQ(test, found->memory.account->bytes, bytes);
}

/* Three tables of a process's threads, of which two have some in common. */
static void owner_test_order(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_found *found = make_found(test);
	unsigned int i;

	for (i = 0; i < 10; i++)
		add_fd(test, found, i, 0);
	for (i = 0; i < 10; i++)
		add_fd(test, found, 10 + c->count + i, 0);
	for (i = 0; i < c->count; i++)
		add_fd(test, found, 10 + i, 0);
	for (i = c->count; i-- > c->count / 2;)
		add_fd(test, found, 10 + i, 0);
	owner_order_fds(found, 10);
	expect_fds(test, found, 20 + c->count);
}

/* One descriptor may lead to several sockets: subflows, or other tables. */
static void owner_test_order_alike(struct kunit *test)
{
	struct owner_found *found = make_found(test);
	unsigned int i;

	for (i = 0; i < 7; i++)
		add_fd(test, found, 3, i % 3);
	owner_order_fds(found, 0);
	KUNIT_ASSERT_EQ(test, found->fds.count, 3UL);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, ((struct owner_fd *)
				owner_array_at(&found->fds, struct owner_fd, i))->sock, i);
}

/*
 * Process 5 has descriptors 0 and 1, process 6 the same ones, process 7 none,
 * process 8 has descriptor 2; sockets 3 and 5 of six are nobody's.
 */
static void owner_test_rows(struct kunit *test)
{
	static const struct {
		u32 pid, shares, fd, inode;
	} want[] = {
		{ 5, 0, 0, 1 }, { 5, 0, 1, 2 }, { 6, 5, 0, 0 }, { 8, 0, 2, 4 },
		{ 0, 0, 0, 3 }, { 0, 0, 0, 5 },
	};
	struct owner_found *found = make_found(test);
	struct owner_cursor cursor = {};
	struct owner_row row;
	unsigned int i;

	for (i = 0; i < 6; i++)
		add_sock(test, found, i != 2 && i != 4);
	add_fd(test, found, 0, 0);
	add_fd(test, found, 1, 1);
	add_process(test, found, 5, 0, 0);
	add_process(test, found, 6, 5, 0);
	add_process(test, found, 7, 0, 2);
	add_fd(test, found, 2, 3);
	add_process(test, found, 8, 0, 2);

	for (i = 0; owner_next_row(found, &cursor, &row); i++) {
		KUNIT_ASSERT_LT(test, i, (unsigned int)ARRAY_SIZE(want));
		KUNIT_EXPECT_EQ(test, cursor.at, i + 1UL);
		KUNIT_EXPECT_EQ(test, row.process ? row.process->pid : 0,
				want[i].pid);
		KUNIT_EXPECT_EQ(test, row.process ? row.process->shares : 0,
				want[i].shares);
		KUNIT_EXPECT_EQ(test, row.fd ? row.fd->fd : 0, want[i].fd);
		KUNIT_EXPECT_EQ(test, row.sock ? (u32)row.sock->inode : 0,
				want[i].inode);
	}
	KUNIT_EXPECT_EQ(test, i, (unsigned int)ARRAY_SIZE(want));
	KUNIT_EXPECT_FALSE(test, owner_next_row(found, &cursor, &row));
}

static void owner_test_map(struct kunit *test)
{
	const struct count_case *c = test->param_value;
	struct owner_found *found = make_found(test);
	size_t bytes = found->memory.account->bytes;
	struct owner_slot *slot;
	struct owner_map map;
	u64 key;

	owner_map_init(&map, &found->memory);
	KUNIT_EXPECT_NULL(test, owner_map_find(&map, 1));
	for (key = 1; key <= c->count; key++) {
		KUNIT_ASSERT_EQ(test, owner_map_reserve(&map, key), 0);
		slot = owner_map_get(&map, key << 6);
		KUNIT_EXPECT_EQ(test, slot->value, 0ULL);
		slot->value = key;
	}
	/* Again: no key twice, and the value is there. */
	for (key = 1; key <= c->count; key++)
		KUNIT_EXPECT_EQ(test, owner_map_get(&map, key << 6)->value++, key);
	KUNIT_EXPECT_EQ(test, map.count, (unsigned long)c->count);
	for (key = 1; key <= c->count; key++) {
		slot = owner_map_find(&map, key << 6);
		KUNIT_ASSERT_NOT_NULL(test, slot);
		KUNIT_EXPECT_EQ(test, slot->value, key + 1);
		KUNIT_EXPECT_NULL(test, owner_map_find(&map, (key << 6) + 1));
	}
	owner_map_free(&map);
	KUNIT_EXPECT_EQ(test, found->memory.account->bytes, bytes);
}

/* A user's files together have so much and no more, others have theirs. */
static void owner_test_bound(struct kunit *test)
{
	struct owner_found *one = make_found(test), *two = make_found(test);
	struct cred *cred = prepare_creds();
	struct owner_memory other = {};
	const size_t half = (size_t)owner_mb << 19;
	void *first, *second;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	one->memory.exempt = false;
	two->memory.exempt = false;
	KUNIT_EXPECT_PTR_EQ(test, one->memory.account, two->memory.account);
	first = owner_alloc(&one->memory, half, 0, &err);
	second = owner_alloc(&two->memory, half, 0, &err);
	KUNIT_EXPECT_NOT_NULL(test, first);
	KUNIT_EXPECT_NOT_NULL(test, second);
	KUNIT_EXPECT_NULL(test, owner_alloc(&one->memory, 1, 0, &err));
	KUNIT_EXPECT_EQ(test, err, -EMFILE);

	cred->uid = KUIDT_INIT(4711);
	KUNIT_EXPECT_EQ(test, owner_memory_init(&other, cred), 0);
	other.exempt = false;
	owner_free(&other, owner_alloc(&other, half, 0, &err), half);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);	/* what it would have been */
	owner_memory_exit(&other);

	owner_free(&two->memory, second, half);
	second = owner_alloc(&one->memory, 1, 0, &err);
	KUNIT_EXPECT_NOT_NULL(test, second);
	owner_free(&one->memory, second, 1);
	owner_free(&one->memory, first, half);
	one->memory.exempt = true;
	first = owner_alloc(&one->memory, 2 * half + 1, 0, &err);
	KUNIT_EXPECT_NOT_NULL(test, first);
	owner_free(&one->memory, first, 2 * half + 1);
	abort_creds(cred);
}

static void add_iface(struct kunit *test, struct owner_found *found, const char *name)
{
	struct owner_iface *iface;
	int err;

	iface = owner_array_add(&found->ifaces, &err);
	KUNIT_ASSERT_NOT_NULL(test, iface);
	strscpy(iface->name, name, sizeof(iface->name));
}

static const struct row_case {
	const char *name;
	struct owner_process process;	/* of none if there is no PID */
	struct owner_fd fd;
	struct owner_sock sock;
	const char *line;
} row_cases[] = {
	{
		"held", { .pid = 812, .comm = "sshd" }, { .fd = 3 },
		{
			.inode = 4711, .uid = 1000, .ends.family = AF_INET,
			.ends.lport = 22, .state = TCP_LISTEN, .cgroup = 1234,
			.netns = 4026531840,
		},
		" 1000     812 sshd                 3 tcp4   LSTN 0.0.0.0:22            0.0.0.0:*             fd         1234 4026531840     4711\n",
	},
	{
		"TIME_WAIT", {}, {},
		{
			.ends.family = AF_INET, .state = TCP_TIME_WAIT, .ends.lport = 1,
			.held = OWNER_HELD_TW, .netns = 1,
		},
		"    0       - -                    - tcp4   TIMW 0.0.0.0:1             0.0.0.0:*             tw            -          1        0\n",
	},
	{
		"not accepted", {}, {},
		{
			.ends.family = AF_INET6, .state = TCP_ESTABLISHED,
			.proto = OWNER_TCP + OWNER_IPV6, .held = OWNER_HELD_QUEUE,
			.cgroup = 1, .netns = 1,
		},
		"    0       - -                    - tcp6   ESTB :::*                  :::*                  queue         1          1        0\n",
	},
	{
		"a handshake", {}, {},
		{
			.ends.family = AF_INET, .state = TCP_SYN_RECV,
			.held = OWNER_HELD_SYN, .netns = 1,
		},
		"    0       - -                    - tcp4   SYNR 0.0.0.0:*             0.0.0.0:*             syn           -          1        0\n",
	},
	{
		"an orphan", {}, {},
		{
			.ends.family = AF_INET, .state = TCP_FIN_WAIT1,
			.held = OWNER_HELD_ORPHAN, .netns = 1, .cgroup = 99999999,
		},
		"    0       - -                    - tcp4   FNW1 0.0.0.0:*             0.0.0.0:*             orphan 99999999          1        0\n",
	},
	{
		"the kernel's own", {}, {},
		{
			.ends.family = AF_INET, .state = TCP_CLOSE, .proto = OWNER_UDP,
			.held = OWNER_HELD_KERNEL, .netns = 1, .cgroup = 1, .inode = 5,
		},
		"    0       - -                    - udp4   UNCN 0.0.0.0:*             0.0.0.0:*             kernel        1          1        5\n",
	},
	{
		"of somebody", {}, {},
		{
			.ends.family = AF_INET6, .state = TCP_LISTEN,
			.proto = OWNER_TCP + OWNER_IPV46, .netns = 1, .cgroup = 1,
			.inode = 5,
		},
		"    0       - -                    - tcp46  LSTN :::*                  :::*                  -             1          1        5\n",
	},
	{
		"IPv6 and UDP", { .pid = 1, .comm = "a b" }, {},
		{
			.ends.family = AF_INET6, .proto = OWNER_UDP + OWNER_IPV6,
			.state = TCP_CLOSE, .inode = 1, .netns = 1,
		},
		"    0       1 a\\040b               0 udp6   UNCN :::*                  :::*                  fd            -          1        1\n",
	},
	{
		"UDP of both families", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_INET6, .proto = OWNER_UDP + OWNER_IPV46,
			.state = TCP_CLOSE, .inode = 1, .netns = 1,
		},
		"    0       1 x                    0 udp46  UNCN :::*                  :::*                  fd            -          1        1\n",
	},
	{
		"bound to an interface", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_INET, .state = TCP_LISTEN, .iface = 1,
			.ends.lport = 68, .netns = 1,
		},
		"    0       1 x                    0 tcp4   LSTN 0.0.0.0%eth0:68       0.0.0.0:*             fd            -          1        0\n",
	},
	{
		"to a peer on the link", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_INET6, .proto = OWNER_TCP + OWNER_IPV6,
			.state = TCP_ESTABLISHED, .iface = 1, .netns = 1,
			.ends.laddr.s6_addr = { 0xfe, 0x80, [15] = 1 },
			.ends.raddr.s6_addr = { 0xfe, 0x80, [15] = 2 },
		},
		"    0       1 x                    0 tcp6   ESTB fe80::1%eth0:*        fe80::2%eth0:*        fd            -          1        0\n",
	},
	{
		"a raw socket", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_INET, .proto = OWNER_RAW, .netns = 1,
			.state = TCP_CLOSE, .ends.lport = 1,
		},
		"    0       1 x                    0 raw4   UNCN 0.0.0.0:1             0.0.0.0:*             fd            -          1        0\n",
	},
	{
		"a ping socket", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_INET6, .proto = OWNER_ICMP + OWNER_IPV6, .netns = 1,
			.state = TCP_CLOSE, .ends.lport = 5, .iface = 1,
		},
		"    0       1 x                    0 icmp6  UNCN ::%eth0:5             :::*                  fd            -          1        0\n",
	},
	{
		"a packet socket", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_PACKET, .proto = OWNER_PACKET, .netns = 1,
			.state = TCP_CLOSE, .ends.lport = 2054, .iface = 1,
		},
		"    0       1 x                    0 packet UNCN 2054:eth0             *:*                   fd            -          1        0\n",
	},
	{
		"a packet socket that hears all", { .pid = 1, .comm = "x" }, {},
		{
			.ends.family = AF_PACKET, .proto = OWNER_PACKET, .netns = 1,
			.state = TCP_CLOSE, .ends.lport = ETH_P_ALL,
		},
		"    0       1 x                    0 packet UNCN *:*                   *:*                   fd            -          1        0\n",
	},
	{
		"a shared table", { .pid = 813, .shares = 812, .comm = "sshd" }, {}, {},
		"    -     813 sshd              =812 -      -    -                     -                     -             -          -        -\n",
	},
	{
		"a shared table, at its widest",
		{
			.pid = U32_MAX, .shares = U32_MAX,
			.comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
		}, {}, {},
		"    - 4294967295 \\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001 =4294967295 - - - - -    -          -        -\n",
	},
	{
		"everything at its widest",
		{
			.pid = U32_MAX,
			.comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
		},
		{ .fd = U32_MAX },
		{
			.ends.family = AF_INET6, .uid = U32_MAX,
			.inode = U64_MAX, .ends.lport = U16_MAX, .cgroup = U64_MAX,
			.netns = U32_MAX, .proto = OWNER_TCP + OWNER_IPV46, .iface = 2,
			.ends.rport = U16_MAX, .state = TCP_ESTABLISHED,
			.ends.laddr = { { {
				0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			} } },
			.ends.raddr = { { {
				0xfe, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0, 0, 0x5e, 0xfe, 255, 255, 255, 255,
			} } },
		},
		"4294967295 4294967295 \\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001 4294967295 tcp46  ESTB ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001:65535 fe80:ffff:ffff:ffff:0:5efe:255.255.255.255%\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001:65535 fd     18446744073709551615 4294967295 18446744073709551615\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(row, row_cases, name);

static void owner_test_write(struct kunit *test)
{
	const struct row_case *c = test->param_value;
	struct owner_process another = c->process;
	struct owner_found *found = make_found(test);
	struct owner_writer writer = { .found = found };
	struct owner_row row = {
		.process = c->process.pid ? &c->process : NULL,
		.fd = c->process.pid && !c->process.shares ? &c->fd : NULL,
		.sock = c->process.shares ? NULL : &c->sock,
	};
	char *text[3], *end;
	unsigned int i;

	add_iface(test, found, "eth0");
	add_iface(test, found, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1");
	/* The second time it knows of the first; and the third is another's. */
	another.pid++;
	for (i = 0; i < ARRAY_SIZE(text); i++) {
		/* KASAN sees what is stored beyond. */
		text[i] = kunit_kzalloc(test, OWNER_ROW_MAX, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, text[i]);
		if (i == 2 && row.process)
			row.process = &another;
		end = owner_row_write(&writer, text[i], &row);
		*end = '\0';
	}
	KUNIT_EXPECT_STREQ(test, text[0], c->line);
	KUNIT_EXPECT_STREQ(test, text[1], c->line);
	if (row.process)
		KUNIT_EXPECT_STRNEQ(test, text[2], c->line);
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE_PARAM(owner_test_array, count_gen_params),
	KUNIT_CASE_PARAM(owner_test_order, count_gen_params),
	KUNIT_CASE(owner_test_order_alike),
	KUNIT_CASE(owner_test_rows),
	KUNIT_CASE_PARAM(owner_test_map, count_gen_params),
	KUNIT_CASE(owner_test_bound),
	KUNIT_CASE_PARAM(owner_test_write, row_gen_params),
	{}
};

struct kunit_suite owner_suite = {
	.name = "knetstat_owner",
	.test_cases = owner_cases,
};
