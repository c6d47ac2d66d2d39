// SPDX-License-Identifier: GPL-2.0
/*
 * sockstat: prints which process holds which TCP and UDP sockets, in the layout
 * of FreeBSD's sockstat.
 *
 * Who holds what is in /proc/net/sockowner, where it finds columns by their names.
 * What else is known of a socket is in the same module's tables, which are read only
 * if something of them is asked for; and -a looks into the processes' cmdline.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/cgroup.h"
#include "lib/host.h"
#include "lib/json.h"
#include "lib/lists.h"
#include "lib/output.h"
#include "lib/say.h"
#include "lib/user.h"
#include "sockstat/sockstat.h"

#define WRITE_SIZE	(64 * 1024)

struct options opt = {
	.shown = BIT(C_USER) | BIT(C_COMMAND) | BIT(C_PID) | BIT(C_FD) |
		 BIT(C_PROTO) | BIT(C_LOCAL) | BIT(C_FOREIGN),
	.protos = TCP_BITS | UDP_BITS,
};

static const char usage[] =
"usage: sockstat [-46acChHiJlLnqsuvwZ] [-j NETNS] [-o COLUMNS] [-p PORTS]\n"
"                [-P PROTOCOLS] [-U USER] [--pid PIDS] [--command NAME] [--trouble]\n"
"                [--with OPTION[=VALUE]] [--without OPTION[=VALUE]] [--held WORDS]\n"
"                [--cgroup PATH] [--json-array] [--proc DIR]\n"
"\n"
"Prints who holds which sockets, from /proc/net/sockowner (module knetstat), and\n"
"what is wrong with them.\n"
"\n"
"  -4, --ipv4                 only what serves IPv4\n"
"  -6, --ipv6                 only what serves IPv6\n"
"  -u, --unix                 Unix sockets, and who has their other ends (PID:FD)\n"
"  -c, --connected            only connected sockets\n"
"  -l, --listening            only listening and bound sockets\n"
"  -L, --no-loopback          not those with a loopback address\n"
"  -p, --ports PORTS          only these ports, on either side: 22,80,8000-8999\n"
"  -P, --protocols PROTOCOLS  only these of tcp, udp, raw, icmp, packet, unix; or tcp4,\n"
"                             tcp6, tcp46 and so on (default: tcp,udp)\n"
"  -U, --user USER            only sockets of this user, a name or a number\n"
"      --pid PIDS             only sockets that these processes hold\n"
"      --command NAME         only sockets that processes of this name hold\n"
"      --cgroup PATH          only sockets of this cgroup (v2) and those below\n"
"      --trouble              only sockets with a mark in Diag, which is shown\n"
"      --with OPTION[=VALUE]  only sockets with this option set, or set so: SO_KEEPALIVE\n"
"      --without OPTION[=VALUE]  only sockets without it\n"
"      --held WORDS           only rows that come to be so: fd, queue, syn, tw, orphan,\n"
"                             kernel, -\n"
"  -j, -z, --netns NETNS      of another network namespace: a name, a PID; or of all\n"
"  -Z, --show-netns           the network namespace in a first column\n"
"  -o, --columns COLUMNS      more columns: recv-q, send-q, diag, drops, options, held,\n"
"                             cgroup, netns, inode, state, cc, args\n"
"  -i, --inode                a column: the inode number\n"
"  -s, --state                a column: the state\n"
"  -C, --congestion           a column: the congestion control\n"
"  -a, --args                 a column: the arguments of the process\n"
"  -v, --verbose              columns: the inode number, the state, how the row comes to\n"
"                             be, and the queues\n"
"  -n, --numeric              users and namespaces as numbers\n"
"  -w, --wide                 wide columns, for IPv6 addresses and long names\n"
"  -H, -q, --no-header        no header\n"
"  -J, --json                 a JSON object for each row\n"
"      --json-array           one JSON array of them\n"
"      --proc DIR             the host's procfs, where it is mounted elsewhere (or HOST_PROC)\n"
"  -h, --help                 print this\n"
"      --version              print the version\n"
"\n"
"  sockstat -4l               who serves IPv4\n"
"  sockstat -p 443 -cs        connections to and from port 443, with their states\n"
"  sockstat --trouble         whose sockets are in trouble, and in which\n"
"  sockstat -c --without SO_KEEPALIVE  whose connections may hang for ever\n"
"  sockstat -j all -l         who listens in any namespace\n"
"  sockstat -U www-data -a    what a user's programs hold\n";

static unsigned int parse_protos(const char *arg)
{
	static const struct {
		const char *name;
		unsigned int protos;
	} known[] = {
		{ "tcp", TCP_BITS }, { "tcp4", BIT(TCP4) }, { "tcp6", BIT(TCP6) },
		{ "tcp46", BIT(TCP46) },
		{ "udp", UDP_BITS }, { "udp4", BIT(UDP4) }, { "udp6", BIT(UDP6) },
		{ "udp46", BIT(UDP46) },
		{ "raw", RAW_BITS }, { "raw4", BIT(RAW4) }, { "raw6", BIT(RAW6) },
		{ "icmp", ICMP_BITS }, { "icmp4", BIT(ICMP4) }, { "icmp6", BIT(ICMP6) },
		{ "packet", BIT(PACKET) },
		{ "unix", UNIX_BITS }, { "stream", BIT(STREAM) }, { "dgram", BIT(DGRAM) },
		{ "seqpac", BIT(SEQPACKET) },
		/* FreeBSD's, of which there are no rows here. */
		{ "sctp", 0 }, { "sctp4", 0 }, { "sctp6", 0 }, { "sctp46", 0 },
		{ "divert", 0 }, { "divert4", 0 }, { "divert6", 0 },
		{ "udplite", 0 }, { "udplite4", 0 }, { "udplite6", 0 },
	};
	const char *list = arg;
	unsigned int protos = 0;
	struct word word;
	size_t i;

	while (list_next(&list, &word)) {
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (word.len == strlen(known[i].name) &&
			    !strncasecmp(word.at, known[i].name, word.len))
				break;
		if (i == ARRAY_SIZE(known))
			usage_error("bad list of protocols (--help has them)",
				    arg);
		protos |= known[i].protos;
	}
	return protos;
}

/* More columns. */
static unsigned int parse_columns(const char *arg)
{
	static const struct {
		const char *name;
		enum column column;
	} known[] = {
		{ "recv-q", C_RECV_Q }, { "send-q", C_SEND_Q }, { "diag", C_DIAG },
		{ "drops", C_DROPS }, { "options", C_OPTIONS }, { "held", C_HELD },
		{ "cgroup", C_CGROUP }, { "netns", C_NETNS }, { "inode", C_INODE },
		{ "state", C_STATE }, { "cc", C_CC }, { "args", C_ARGUMENTS },
	};
	const char *list = arg;
	unsigned int columns = 0;
	struct word word;
	size_t i;

	while (list_next(&list, &word)) {
		for (i = 0; i < ARRAY_SIZE(known) && !word_is(word, known[i].name); i++)
			;
		if (i == ARRAY_SIZE(known))
			usage_error("bad list of columns (--help has them)",
				    arg);
		columns |= BIT(known[i].column);
	}
	return columns;
}

static void parse_pids(const char *arg)
{
	const char *list = arg;
	struct word word;
	u64 pid;

	opt.pid_count = 0;
	while (list_next(&list, &word)) {
		if (!parse_number(word, INT_MAX, &pid) || !pid)
			usage_error("bad list of PIDs", arg);
		opt.pids = more(opt.pids, opt.pid_count + 1, sizeof(pid));
		opt.pids[opt.pid_count++] = pid;
	}
}

enum {
	OPT_VERSION = 256,
	OPT_PID,
	OPT_COMMAND,
	OPT_CGROUP,
	OPT_TROUBLE,
	OPT_WITH,
	OPT_WITHOUT,
	OPT_HELD,
	OPT_ARRAY,
	OPT_PROC,
};

static const struct option long_options[] = {
	{ "ipv4",	no_argument,		NULL, '4' },
	{ "ipv6",	no_argument,		NULL, '6' },
	{ "args",	no_argument,		NULL, 'a' },
	{ "connected",	no_argument,		NULL, 'c' },
	{ "congestion",	no_argument,		NULL, 'C' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "no-header",	no_argument,		NULL, 'H' },
	{ "inode",	no_argument,		NULL, 'i' },
	{ "netns",	required_argument,	NULL, 'j' },
	{ "json",	no_argument,		NULL, 'J' },
	{ "listening",	no_argument,		NULL, 'l' },
	{ "no-loopback", no_argument,		NULL, 'L' },
	{ "numeric",	no_argument,		NULL, 'n' },
	{ "columns",	required_argument,	NULL, 'o' },
	{ "ports",	required_argument,	NULL, 'p' },
	{ "protocols",	required_argument,	NULL, 'P' },
	{ "state",	no_argument,		NULL, 's' },
	{ "unix",	no_argument,		NULL, 'u' },
	{ "user",	required_argument,	NULL, 'U' },
	{ "verbose",	no_argument,		NULL, 'v' },
	{ "wide",	no_argument,		NULL, 'w' },
	{ "show-netns",	no_argument,		NULL, 'Z' },
	{ "pid",	required_argument,	NULL, OPT_PID },
	{ "command",	required_argument,	NULL, OPT_COMMAND },
	{ "cgroup",	required_argument,	NULL, OPT_CGROUP },
	{ "trouble",	no_argument,		NULL, OPT_TROUBLE },
	{ "with",	required_argument,	NULL, OPT_WITH },
	{ "without",	required_argument,	NULL, OPT_WITHOUT },
	{ "held",	required_argument,	NULL, OPT_HELD },
	{ "json-array",	no_argument,		NULL, OPT_ARRAY },
	{ "proc",	required_argument,	NULL, OPT_PROC },
	{ "version",	no_argument,		NULL, OPT_VERSION },
	{ }
};

/* An option that says how to print. */
static void display_option(int c)
{
	switch (c) {
	case 'a':
		opt.shown |= BIT(C_ARGUMENTS);
		break;
	case 'C':
		opt.shown |= BIT(C_CC);
		break;
	case 'H':
	case 'q':
		opt.no_header = true;
		break;
	case 'i':
		opt.shown |= BIT(C_INODE);
		break;
	case 'J':
		opt.json = true;
		break;
	case OPT_ARRAY:
		opt.json = true;
		opt.array = true;
		break;
	case 'n':
		opt.numeric = true;
		break;
	case 'o':
		opt.shown |= parse_columns(optarg);
		break;
	case 's':
		opt.shown |= BIT(C_STATE);
		break;
	case 'v':
		opt.shown |= BIT(C_INODE) | BIT(C_STATE) | BIT(C_HELD) | BIT(C_RECV_Q) |
			     BIT(C_SEND_Q);
		break;
	case 'w':
		opt.wide = true;
		break;
	case 'Z':
		opt.shown |= BIT(C_NETNS);
		break;
	case 'h':
		output_and_exit(usage);
	case OPT_VERSION:
		output_and_exit("sockstat (knetstat) " KNETSTAT_VERSION "\n");
	default:
		/* getopt has said what is wrong. */
		exit(2);
	}
}

/* An option that says which sockets, by what else is known of them. */
static bool joined_option_given(int c)
{
	switch (c) {
	case OPT_TROUBLE:
		opt.trouble = true;
		opt.shown |= BIT(C_DIAG);
		return true;
	case OPT_WITH:
	case OPT_WITHOUT:
		add_wish(optarg, c == OPT_WITHOUT);
		return true;
	case OPT_HELD:
		opt.held = parse_held(optarg);
		return true;
	default:
		return false;
	}
}

static void parse_options(int argc, char **argv)
{
	const char *cgroup = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "46acChHij:JlLno:p:P:qsuU:vwz:Z",
				long_options, NULL)) != -1) {
		if (joined_option_given(c))
			continue;
		switch (c) {
		case '4':
			opt.family |= IPV4_BITS;
			break;
		case '6':
			opt.family |= IPV6_BITS;
			break;
		case 'c':
			opt.connected = true;
			break;
		case 'j':
		case 'z':
			parse_netns(optarg);
			break;
		case 'l':
			opt.listening = true;
			break;
		case 'L':
			opt.no_loopback = true;
			break;
		case 'p':
			free(opt.ports);
			opt.ports = parse_ports(optarg);
			break;
		case 'P':
			opt.protos = parse_protos(optarg);
			break;
		case 'u':
			opt.unix_too = true;
			break;
		case 'U':
			opt.uid = parse_user(optarg);
			opt.by_user = true;
			break;
		case OPT_PID:
			parse_pids(optarg);
			break;
		case OPT_COMMAND:
			opt.command = optarg;
			break;
		case OPT_CGROUP:
			cgroup = optarg;
			break;
		case OPT_PROC:
			host_set_proc(optarg);
			break;
		default:
			display_option(c);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	/* -u is a family as -4 and -6 are: of Unix sockets, all protocols. */
	if (opt.unix_too && !opt.family)
		opt.protos = UNIX_BITS;
	else if (opt.family)
		opt.protos = (opt.protos & opt.family) | (opt.unix_too ? UNIX_BITS : 0);
	if (opt.all_netns)
		opt.shown |= BIT(C_NETNS);
	/* It is looked for where --proc says, which may come behind. */
	opt.cgroup = cgroup;
	if (cgroup)
		cgroup_want(cgroup);
	/* Both are all, also those that are neither. */
	if (opt.connected && opt.listening) {
		opt.connected = false;
		opt.listening = false;
	}
}

static void print_if_wanted(const struct row *row)
{
	if (!wanted(row))
		return;
	if (opt.json)
		print_json(row);
	else
		print_row(row);
	out.row = out.text.len;
	if (out.text.len >= WRITE_SIZE)
		output_flush();
}

static void print_table(void)
{
	bool inet = opt.protos & ~UNIX_BITS;
	struct row row = { };

	if (inet)
		rows_header();
	if (opt.json)
		json_begin(&out.text, opt.array);
	else
		print_begin();
	out.row = out.text.len;
	while (inet && rows_next(&row))
		print_if_wanted(&row);
	if (opt.protos & UNIX_BITS) {
		open_unix();
		print_unix(print_if_wanted);
	}
	if (opt.json)
		json_end(&out.text);
	output_flush();
}

int main(int argc, char **argv)
{
	program_begin(argv, "sockstat");
	parse_options(argc, argv);
	open_tables();
	print_table();
	return 0;
}
