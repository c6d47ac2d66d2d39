// SPDX-License-Identifier: GPL-2.0
/*
 * The names that unixowner keeps, and how its rows are written. What they are made of is
 * tested in owner_test.c.
 */
#include <linux/cred.h>
#include <linux/net.h>
#include <linux/string.h>
#include <net/tcp_states.h>

#include "../../src/owner/unixtext.c"

#include "suites.h"

static void unix_free_found(void *data)
{
	struct owner_found *found = data;

	owner_found_free(found);
	owner_memory_exit(&found->memory);
}

static struct owner_found *unix_make_found(struct kunit *test)
{
	struct owner_found *found = kunit_kzalloc(test, sizeof(*found), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, found);
	KUNIT_ASSERT_EQ(test, owner_memory_init(&found->memory, current_cred()), 0);
	owner_found_init(found);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unix_free_found, found), 0);
	return found;
}

/* Names of every length, each twice in a row; enough to be in many chunks. */
static void unix_test_paths(struct kunit *test)
{
	struct owner_found *found = unix_make_found(test);
	const unsigned int rounds = 50;
	struct owner_path path[2];
	char name[UNIX_PATH_MAX], got[OWNER_PATH_ROOM];
	unsigned long pieces = 0;
	unsigned int n, length;

	for (n = 0; n < rounds * (UNIX_PATH_MAX + 1); n++) {
		length = n % (UNIX_PATH_MAX + 1);
		memset(name, n, length);
		KUNIT_ASSERT_EQ(test, owner_path_add(&found->paths, &path[0], name, length), 0);
		KUNIT_ASSERT_EQ(test, owner_path_add(&found->paths, &path[1], name, length), 0);
		KUNIT_EXPECT_EQ(test, path[0].first, path[1].first);
		KUNIT_EXPECT_EQ(test, (unsigned int)path[0].length, length);
		owner_path_get(&found->paths, path[1], got);
		KUNIT_EXPECT_EQ(test, memcmp(got, name, length), 0);
		pieces += DIV_ROUND_UP(length, OWNER_PATH_PIECE);
	}
	KUNIT_EXPECT_EQ(test, found->paths.pieces.count, pieces);
	/* The first ones are as they were. */
	owner_path_get(&found->paths, (struct owner_path){ 0, 1 }, got);
	KUNIT_EXPECT_EQ(test, got[0], 1);
}

#define OCTAL8	"\\001\\001\\001\\001\\001\\001\\001\\001"
#define BYTES8	"\1\1\1\1\1\1\1\1"
#define EIGHT(x) x x x x x x x x

static const struct unix_case {
	const char *name;
	struct owner_process process;	/* of none if there is no PID */
	struct owner_fd fd;
	struct owner_sock sock;
	unsigned int length;
	const char *path;
	const char *line;
} unix_cases[] = {
	{
		"a listener", { .pid = 1, .comm = "systemd" }, { .fd = 43 },
		{
			.inode = 4711, .state = TCP_LISTEN,
			.un.type = SOCK_STREAM, .cgroup = 1,
		},
		23, "/run/systemd/private.soc",
		"    0       1 systemd             43 strm LSTN /run/systemd/private.so                 -        1     4711\n",
	},
	{
		"a pair's end", { .pid = 812, .comm = "sshd" }, { .fd = 3 },
		{
			.inode = 4711, .uid = 1000, .state = TCP_ESTABLISHED,
			.un.type = SOCK_SEQPACKET, .un.peer = 4712, .cgroup = 4242,
		},
		0, NULL,
		" 1000     812 sshd                 3 seqp ESTB -                                    4712     4242     4711\n",
	},
	{
		"not held, without a cgroup", {}, {},
		{ .state = TCP_CLOSE, .un.type = SOCK_DGRAM },
		6, "\00012345",
		"    0       - -                    - dgrm UNCN @12345                                  -        -        0\n",
	},
	{
		"a path that looks abstract", {}, {},
		{ .state = TCP_CLOSE, .un.type = SOCK_DGRAM },
		2, "@@",
		"    0       - -                    - dgrm UNCN \\100@                                   -        -        0\n",
	},
	{
		"an abstract name with NULs and blanks", {}, {},
		{ .state = TCP_CLOSE, .un.type = SOCK_DGRAM },
		7, "\0a \0b\\\0",
		"    0       - -                    - dgrm UNCN @a\\040\\000b\\134\\000                     -        -        0\n",
	},
	{
		"a path that is a dash", {}, {},
		{ .state = TCP_CLOSE, .un.type = SOCK_DGRAM },
		1, "-",
		"    0       - -                    - dgrm UNCN \\055                                    -        -        0\n",
	},
	{
		"an abstract name of nothing", {}, {},
		{ .state = TCP_CLOSE, .un.type = SOCK_DGRAM },
		1, "\0",
		"    0       - -                    - dgrm UNCN @                                       -        -        0\n",
	},
	{
		"of a type that there is not", {}, {},
		{ .state = TCP_CLOSE, .un.type = 255 },
		0, NULL,
		"    0       - -                    - -    UNCN -                                       -        -        0\n",
	},
	{
		"a shared table", { .pid = 813, .shares = 812, .comm = "sshd" }, {}, {}, 0, NULL,
		"    -     813 sshd              =812 -    -    -                                       -        -        -\n",
	},
	{
		"everything at its widest",
		{ .pid = U32_MAX, .comm = BYTES8 BYTES8 }, { .fd = U32_MAX },
		{
			.uid = U32_MAX, .inode = U64_MAX, .state = TCP_LISTEN,
			.un.type = SOCK_STREAM, .un.peer = U64_MAX, .cgroup = U64_MAX,
		},
		UNIX_PATH_MAX, EIGHT(BYTES8) EIGHT("\1\1\1\1\1") "\1\1\1\1",
		"4294967295 4294967295 " OCTAL8 OCTAL8 " 4294967295 strm LSTN " EIGHT(OCTAL8)
		EIGHT("\\001\\001\\001\\001\\001") "\\001\\001\\001\\001"
		" 18446744073709551615 18446744073709551615 18446744073709551615\n",
	},
};

KUNIT_ARRAY_PARAM_DESC(unixrow, unix_cases, name);

static void unix_test_write(struct kunit *test)
{
	const struct unix_case *c = test->param_value;
	struct owner_found *found = unix_make_found(test);
	struct owner_front front = {};
	struct owner_sock sock = c->sock;
	const struct owner_row row = {
		.process = c->process.pid ? &c->process : NULL,
		.fd = c->process.pid && !c->process.shares ? &c->fd : NULL,
		.sock = c->process.shares ? NULL : &sock,
	};
	char *text[2], *end;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, owner_path_add(&found->paths, &sock.un.path, c->path, c->length),
			0);
	/* The second time it knows of the first. */
	for (i = 0; i < ARRAY_SIZE(text); i++) {
		/* KASAN sees what is stored beyond. */
		text[i] = kunit_kzalloc(test, OWNER_UNIX_ROW_MAX, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, text[i]);
		end = owner_unix_row_write(found, &front, text[i], &row);
		*end = '\0';
	}
	KUNIT_EXPECT_STREQ(test, text[0], c->line);
	KUNIT_EXPECT_STREQ(test, text[1], c->line);
}

static struct kunit_case unix_test_cases[] = {
	KUNIT_CASE(unix_test_paths),
	KUNIT_CASE_PARAM(unix_test_write, unixrow_gen_params),
	{}
};

struct kunit_suite unix_suite = {
	.name = "knetstat_unix",
	.test_cases = unix_test_cases,
};
