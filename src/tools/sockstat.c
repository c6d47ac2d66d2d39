// SPDX-License-Identifier: GPL-2.0
/*
 * sockstat: prints which process holds which socket, in the layout of FreeBSD's
 * sockstat, and what is wrong with it.
 *
 * All it knows of holders is in /proc/net/sockowner and unixowner, where it finds columns
 * by their names. What is asked for of a socket's queues and options is in tcpstat and so
 * on of the same module.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
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
};

static const char usage[] =
"usage: sockstat [-46acChHiJlLnqsuvwZ] [-o COLUMNS] [-j NETNS] [-p PORTS]\n"
"                [-P PROTOCOLS] [-U USER] [--pid PIDS] [--command NAME]\n"
"                [--cgroup PATH] [--held WORDS] [--trouble] [--with OPTION]\n"
"                [--without OPTION] [--json-array] [--proc DIR]\n"
"\n"
"Prints who holds which sockets, from /proc/net/sockowner and unixowner (module\n"
"knetstat).\n"
"\n"
"  -4, --ipv4                 only what serves IPv4\n"
"  -6, --ipv6                 only what serves IPv6\n"
"  -u, --unix                 Unix sockets; with -4, -6 or -P besides those\n"
"  -c, --connected            only connected sockets\n"
"  -l, --listening            only listening sockets, and others that are bound\n"
"  -L, --no-loopback          not those with a loopback address\n"
"  -p, --ports PORTS          only these ports, on either side: 22,80,8000-8999\n"
"  -P, --protocols PROTOCOLS  only these of tcp, udp (the default), raw, icmp (each also as\n"
"                             tcp4, tcp6 ...), tcp46, udp46, packet, unix (stream, dgram,\n"
"                             seqpacket)\n"
"  -U, -F, --user USER        only sockets of this user, a name or a number\n"
"      --pid PIDS             only sockets that these processes hold\n"
"      --command NAME         only sockets that processes of this name hold\n"
"      --cgroup PATH          only sockets of this cgroup (v2) and those below\n"
"      --held WORDS           only sockets that come to be so: fd, queue, syn, tw,\n"
"                             orphan, kernel, or - (not known)\n"
"      --trouble              only sockets with a mark in Diag, which is shown\n"
"      --with OPTION[=VALUE]  only with this socket option set (to this value)\n"
"      --without OPTION[=VALUE]  only without\n"
"  -j, -z, --netns NETNS      of another network namespace: a name, a path, a PID, its\n"
"                             number; or all\n"
"  -o, --columns COLUMNS      more columns: netns, inode, state, cc, held, queues (recv-q,\n"
"                             send-q), diag, drops, cgroup, options, args; or all\n"
"  -Z, -i, -s, -C, -a         columns: --show-netns, --inode, --state, --congestion,\n"
"                             --args of the process\n"
"  -n, --numeric              users and network namespaces as numbers\n"
"  -w, --wide                 columns as wide as what is in there\n"
"  -H, -q, --no-header        no header\n"
"  -v, --verbose              columns: inode, state, held, queues; and say how many sockets\n"
"                             changed meanwhile\n"
"  -J, --json                 a JSON object for each row\n"
"      --json-array           the same, as one JSON array\n"
"      --proc DIR             the host's procfs, where it is mounted elsewhere (or\n"
"                             HOST_PROC)\n"
"  -h, --help                 print this\n"
"      --version              print the version\n"
"\n"
"  sockstat -4l               who serves IPv4\n"
"  sockstat -p 443 -cs        connections to and from port 443, with their states\n"
"  sockstat -j all --trouble  whose sockets are in trouble on this host, and in which\n"
"  sockstat -c --without SO_KEEPALIVE   connections that may hang for ever\n"
"  sockstat -u --command dbus-daemon    who talks to it\n";

static unsigned int parse_protos(const char *arg)
{
	static const struct {
		const char *name;
		unsigned int protos;
	} known[] = {
		{ "tcp", TCP_BITS }, { "udp", UDP_BITS },
		{ "tcp4", TCP_BITS & IPV4_BITS }, { "tcp6", TCP_BITS & IPV6_BITS },
		{ "udp4", UDP_BITS & IPV4_BITS }, { "udp6", UDP_BITS & IPV6_BITS },
		{ "tcp46", BIT(TCP46) }, { "udp46", BIT(UDP46) },
		{ "raw", RAW_BITS }, { "raw4", BIT(RAW4) }, { "raw6", BIT(RAW6) },
		{ "icmp", ICMP_BITS }, { "icmp4", BIT(ICMP4) }, { "icmp6", BIT(ICMP6) },
		{ "packet", BIT(PACKET) }, { "unix", UNIX_BITS },
		{ "stream", BIT(STREAM) }, { "dgram", BIT(DGRAM) },
		{ "seqpacket", BIT(SEQPACKET) }, { "seqpack", BIT(SEQPACKET) },
		/* FreeBSD's, that there is nothing of here. */
		{ "sctp", 0 }, { "divert", 0 }, { "udplite", 0 },
	};
	const char *list = arg;
	unsigned int protos = 0;
	struct word word;
	size_t i;

	while (list_next(&list, &word)) {
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (strlen(known[i].name) == word.len &&
			    !strncasecmp(word.at, known[i].name, word.len))
				break;
		if (i == ARRAY_SIZE(known))
			usage_error("bad list of protocols (tcp, udp, raw, icmp, packet, unix ...)",
				    arg);
		protos |= known[i].protos;
	}
	return protos;
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

static void parse_held(const char *arg)
{
	const char *list = arg;
	struct word word;
	size_t i;

	opt.held = 0;
	while (list_next(&list, &word)) {
		for (i = 0; i < HELDS && !word_is(word, held_names[i].text); i++)
			;
		if (i == HELDS)
			usage_error("bad list of words (fd, queue, syn, tw, orphan, kernel, -)",
				    arg);
		opt.held |= BIT(i);
	}
}

static void parse_columns(const char *arg)
{
	const char *list = arg;
	unsigned int named;
	struct word word;

	while (list_next(&list, &word)) {
		named = columns_named(word);
		if (!named)
			usage_error("bad list of columns (sockstat -h has them)", arg);
		opt.shown |= named;
	}
}

enum {
	OPT_VERSION = 256,
	OPT_PID,
	OPT_COMMAND,
	OPT_CGROUP,
	OPT_HELD,
	OPT_TROUBLE,
	OPT_WITH,
	OPT_WITHOUT,
	OPT_ARRAY,
	OPT_PROC,
};

static const struct option long_options[] = {
	{ "ipv4",	no_argument,		NULL, '4' },
	{ "ipv6",	no_argument,		NULL, '6' },
	{ "args",	no_argument,		NULL, 'a' },
	{ "columns",	required_argument,	NULL, 'o' },
	{ "connected",	no_argument,		NULL, 'c' },
	{ "congestion",	no_argument,		NULL, 'C' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "no-header",	no_argument,		NULL, 'H' },
	{ "inode",	no_argument,		NULL, 'i' },
	{ "netns",	required_argument,	NULL, 'j' },
	{ "json",	no_argument,		NULL, 'J' },
	{ "json-array",	no_argument,		NULL, OPT_ARRAY },
	{ "listening",	no_argument,		NULL, 'l' },
	{ "no-loopback", no_argument,		NULL, 'L' },
	{ "numeric",	no_argument,		NULL, 'n' },
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
	{ "held",	required_argument,	NULL, OPT_HELD },
	{ "trouble",	no_argument,		NULL, OPT_TROUBLE },
	{ "with",	required_argument,	NULL, OPT_WITH },
	{ "without",	required_argument,	NULL, OPT_WITHOUT },
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
	case OPT_ARRAY:
		opt.array = true;
		opt.json = true;
		break;
	case 'J':
		opt.json = true;
		break;
	case 'n':
		opt.numeric = true;
		break;
	case 'o':
		parse_columns(optarg);
		break;
	case 's':
		opt.shown |= BIT(C_STATE);
		break;
	case 'v':
		opt.verbose = true;
		opt.shown |= BIT(C_INODE) | BIT(C_STATE) | BIT(C_HELD) | BIT(C_RECVQ) |
			     BIT(C_SENDQ);
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

/* What is listed: -P, of the families of -4 and -6; and what -u adds. */
static void choose_protos(bool given)
{
	unsigned int can;

	if (!given)
		opt.protos = opt.unix_too && !opt.family ? 0 : PORT_BITS;
	if (opt.family)
		opt.protos &= opt.family | UNIX_BITS;
	if (opt.unix_too)
		opt.protos |= UNIX_BITS;
	/* What can't have an option is not looked up; mapped connections are IPv4's here. */
	if (options_filtered()) {
		can = options_protos();
		if (can & IPV6_BITS & TCP_BITS)
			can |= BIT(TCP4);
		if (can & IPV6_BITS & UDP_BITS)
			can |= BIT(UDP4);
		opt.protos &= can;
	}
}

static void choose_netns(void)
{
	if (!opt.netns || strcmp(opt.netns, "all"))
		return;
	opt.netns = NULL;
	opt.all_netns = true;
	if (opt.protos & UNIX_BITS)
		usage_error("Unix sockets are listed of one network namespace: not with -j all",
			    NULL);
	opt.shown |= BIT(C_NETNS);
}

static void parse_options(int argc, char **argv)
{
	const char *cgroup = NULL;
	bool protos_given = false;
	int c;

	while ((c = getopt_long(argc, argv, "46acCF:hHij:JlLno:p:P:qsuU:vwz:Z",
				long_options, NULL)) != -1) {
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
			opt.netns = optarg;
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
			protos_given = true;
			break;
		case 'u':
			opt.unix_too = true;
			break;
		case 'F':
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
		case OPT_HELD:
			parse_held(optarg);
			break;
		case OPT_TROUBLE:
			opt.trouble = true;
			opt.shown |= BIT(C_DIAG);
			break;
		case OPT_WITH:
		case OPT_WITHOUT:
			want_option(optarg, c == OPT_WITH);
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
	choose_protos(protos_given);
	choose_netns();
	/* Both are all, also those that are neither. */
	if (opt.connected && opt.listening) {
		opt.connected = false;
		opt.listening = false;
	}
	/* It is looked for where --proc says, which may come behind. */
	opt.cgroup = cgroup;
	if (cgroup)
		cgroup_want(cgroup);
}

static void print_table(void)
{
	struct row row = { };

	if (opt.wide || opt.protos & UNIX_BITS)
		rows_keep();
	rows_header();
	filter_begin();
	if (opt.protos & UNIX_BITS)
		peers_read();
	print_begin();
	out.row = out.text.len;
	while (next_wanted(&row)) {
		if (opt.json)
			print_json(&row);
		else
			print_row(&row);
		out.row = out.text.len;
		if (out.text.len >= WRITE_SIZE)
			output_flush();
	}
	if (opt.json)
		json_end(&out.text);
	output_flush();
}

/* A socket's row is of another moment than those that it is looked up in. */
static void say_missed(void)
{
	u64 missed = join_missed();

	if (opt.verbose && missed)
		say("%llu sockets changed while they were read", missed);
}

int main(int argc, char **argv)
{
	program_begin(argv, "sockstat");
	parse_options(argc, argv);
	open_tables();
	print_table();
	say_missed();
	return 0;
}
