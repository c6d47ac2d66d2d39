// SPDX-License-Identifier: GPL-2.0
/*
 * sockstat: prints which process holds which TCP and UDP sockets, in the layout
 * of FreeBSD's sockstat.
 *
 * All it knows is in /proc/net/sockowner, where it finds columns by their names.
 * Only -C and -a look elsewhere: into tcpstat and tcp6stat of the same module,
 * and into the processes' cmdline.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/lists.h"
#include "lib/output.h"
#include "lib/say.h"
#include "lib/user.h"
#include "sockstat/sockstat.h"

#define WRITE_SIZE	(64 * 1024)

struct options opt = {
	.shown = BIT(C_USER) | BIT(C_COMMAND) | BIT(C_PID) | BIT(C_FD) |
		 BIT(C_PROTO) | BIT(C_LOCAL) | BIT(C_FOREIGN),
	.protos = ALL_BITS,
};

static const char usage[] =
"usage: sockstat [-46acChHiJlLnqswZ] [-j NETNS] [-p PORTS] [-P PROTOCOLS]\n"
"                [-U USER] [--pid PIDS] [--command NAME]\n"
"\n"
"Prints who holds which TCP and UDP sockets, from /proc/net/sockowner (module\n"
"knetstat).\n"
"\n"
"  -4, --ipv4                 only IPv4\n"
"  -6, --ipv6                 only IPv6\n"
"  -c, --connected            only connected sockets\n"
"  -l, --listening            only listening sockets; of UDP, unconnected ones\n"
"  -L, --no-loopback          not those with a loopback address\n"
"  -p, --ports PORTS          only these ports, on either side: 22,80,8000-8999\n"
"  -P, --protocols PROTOCOLS  only these of tcp, udp, tcp4, tcp6, udp4, udp6\n"
"  -U, --user USER            only sockets of this user, a name or a number\n"
"      --pid PIDS             only sockets that these processes hold\n"
"      --command NAME         only sockets that processes of this name hold\n"
"  -j, -z, --netns NETNS      of another network namespace: a name, or a PID\n"
"  -Z, --show-netns           the network namespace in a first column\n"
"  -i, --inode                a column: the inode number\n"
"  -s, --state                a column: the state\n"
"  -C, --congestion           a column: the congestion control\n"
"  -a, --args                 a column: the arguments of the process\n"
"  -n, --numeric              users as numbers\n"
"  -w, --wide                 wide columns, for IPv6 addresses and long names\n"
"  -H, -q, --no-header        no header\n"
"  -J, --json                 a JSON object for each row\n"
"  -h, --help                 print this\n"
"      --version              print the version\n"
"\n"
"  sockstat -4l               who listens on IPv4\n"
"  sockstat -p 443 -cs        connections to and from port 443, with their states\n"
"  sockstat -U www-data -a    what a user's programs hold\n"
"  sockstat -z web -lZ        who listens in the namespace web\n";

static unsigned int parse_protos(const char *arg)
{
	static const struct {
		const char *name;
		unsigned int protos;
	} known[] = {
		{ "tcp", TCP_BITS }, { "tcp4", BIT(TCP4) }, { "tcp6", BIT(TCP6) },
		{ "udp", UDP_BITS }, { "udp4", BIT(UDP4) }, { "udp6", BIT(UDP6) },
	};
	const char *list = arg;
	unsigned int protos = 0;
	struct word word;
	size_t i;

	while (list_next(&list, &word)) {
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (word_is(word, known[i].name))
				break;
		if (i == ARRAY_SIZE(known))
			usage_error("bad list of protocols (tcp, udp, tcp4, tcp6, udp4, udp6)",
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

enum {
	OPT_VERSION = 256,
	OPT_PID,
	OPT_COMMAND,
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
	{ "ports",	required_argument,	NULL, 'p' },
	{ "protocols",	required_argument,	NULL, 'P' },
	{ "state",	no_argument,		NULL, 's' },
	{ "user",	required_argument,	NULL, 'U' },
	{ "wide",	no_argument,		NULL, 'w' },
	{ "show-netns",	no_argument,		NULL, 'Z' },
	{ "pid",	required_argument,	NULL, OPT_PID },
	{ "command",	required_argument,	NULL, OPT_COMMAND },
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
	case 'n':
		opt.numeric = true;
		break;
	case 's':
		opt.shown |= BIT(C_STATE);
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

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "46acChHij:JlLnp:P:qsU:wz:Z",
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
		default:
			display_option(c);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	if (opt.family)
		opt.protos &= opt.family;
	/* Both are all, also those that are neither. */
	if (opt.connected && opt.listening) {
		opt.connected = false;
		opt.listening = false;
	}
}

static void print_table(void)
{
	struct row row = { };

	rows_header();
	if (!opt.json)
		print_begin();
	out.row = out.text.len;
	while (rows_next(&row)) {
		if (!wanted(&row))
			continue;
		if (opt.json)
			print_json(&row);
		else
			print_row(&row);
		out.row = out.text.len;
		if (out.text.len >= WRITE_SIZE)
			output_flush();
	}
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
