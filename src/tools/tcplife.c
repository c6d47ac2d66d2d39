// SPDX-License-Identifier: GPL-2.0
/*
 * tcplife: prints TCP sessions as they end, in the formats of BCC's tcplife, or
 * those that are alive.
 *
 * All it knows is in /proc/net/tcplife and tcplive, where it finds columns by their names,
 * and rows that it came too late for by gaps in SEQ. From stat/tcplife it takes
 * the number of the last row there was when it began.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "lib/cgroup.h"
#include "lib/host.h"
#include "lib/lists.h"
#include "lib/netns.h"
#include "lib/output.h"
#include "lib/say.h"
#include "lib/user.h"
#include "tcplife/tcplife.h"

struct options opt;

static const char usage[] =
"usage: tcplife [-h] [-T] [-t] [-w] [-s] [-p PID] [-L PORTS] [-D PORTS] [-4 | -6]\n"
"               [-u USERS] [--netns NETNS] [--cgroup PATH] [-a | -l | --state FILE [-f]]\n"
"               [-x] [-J] [--json-array] [-n N] [--proc DIR]\n"
"\n"
"Prints TCP sessions as they end, from /proc/net/tcplife (module knetstat).\n"
"\n"
"  -T, --time              the time of day it ended (HH:MM:SS) in a first column\n"
"  -t, --timestamp         the seconds since the first row in a first column\n"
"  -w, --wide              wide columns, for IPv6 addresses and long names\n"
"  -s, --csv               values separated by commas\n"
"  -p, --pid PID           only sessions of this process\n"
"  -L, --localport PORTS   only these local ports: 22,80,8000-8999\n"
"  -D, --remoteport PORTS  only these remote ports\n"
"  -4, --ipv4              only IPv4\n"
"  -6, --ipv6              only IPv6\n"
"  -u, --user USERS        only sockets of these users, by name or number\n"
"      --netns NETNS       only this network namespace: a name, a PID, a number\n"
"      --cgroup PATH       only this cgroup (v2) and those below\n"
"  -a, --all               begin with the sessions that have ended already\n"
"  -l, --live              print the sessions that are alive now, and end\n"
"      --state FILE        print what has ended since the last run with FILE, and end\n"
"  -f, --follow            with --state: go on, as without\n"
"  -x, --extended          all columns of the file, and the cgroup's path\n"
"  -J, --json              the same, as a JSON object for each session\n"
"      --json-array        the same, as one JSON array\n"
"  -n, --count N           stop after N sessions\n"
"      --proc DIR          the host's procfs, where it is mounted elsewhere (or HOST_PROC)\n"
"  -h, --help              print this\n"
"      --version           print the version\n"
"\n"
"  tcplife -T              sessions from now on, until Ctrl-C\n"
"  tcplife -a -L 80,443    what has been and will be served on two ports\n"
"  tcplife -lT             who is connected now, and since when\n"
"  tcplife -stT            for a spreadsheet\n"
"  tcplife -aJ -n 100      for a program: the 100 oldest that are still known\n"
"  tcplife -J --state /var/lib/tcplife  for cron: what is new since the last time\n";

static void set_family(char family)
{
	if (opt.family && opt.family != family)
		usage_error("-4 and -6 exclude each other", NULL);
	opt.family = family;
}

static void add_users(const char *arg)
{
	const char *list = arg;
	struct word word;
	char *name;

	opt.user_count = 0;
	while (list_next(&list, &word)) {
		name = copy_of(word.at, word.len);
		opt.users = more(opt.users, opt.user_count + 1, sizeof(*opt.users));
		opt.users[opt.user_count++] = parse_user(name);
		free(name);
	}
}

static void check_options(void)
{
	if (opt.live && (opt.all || opt.timestamp))
		usage_error("-a and -t don't go with -l", NULL);
	if (opt.state && (opt.all || opt.live))
		usage_error("-a and -l don't go with --state", NULL);
	if (opt.follow && !opt.state)
		usage_error("-f is for --state", NULL);
	if (opt.json && (opt.time || opt.timestamp || opt.wide || opt.csv))
		usage_error("-T, -t, -w and -s don't go with -J", NULL);
	if (opt.array && !opt.live && !opt.count && (!opt.state || opt.follow))
		usage_error("an array has an end: --json-array wants -l, -n or --state",
			    NULL);
}

static void parse_options(int argc, char **argv)
{
	enum { VERSION = 256, OPT_NETNS, OPT_CGROUP, OPT_STATE, OPT_ARRAY, OPT_PROC };
	static const struct option longs[] = {
		{ "time",	no_argument,		NULL, 'T' },
		{ "timestamp",	no_argument,		NULL, 't' },
		{ "wide",	no_argument,		NULL, 'w' },
		{ "csv",	no_argument,		NULL, 's' },
		{ "pid",	required_argument,	NULL, 'p' },
		{ "localport",	required_argument,	NULL, 'L' },
		{ "remoteport",	required_argument,	NULL, 'D' },
		{ "ipv4",	no_argument,		NULL, '4' },
		{ "ipv6",	no_argument,		NULL, '6' },
		{ "user",	required_argument,	NULL, 'u' },
		{ "netns",	required_argument,	NULL, OPT_NETNS },
		{ "cgroup",	required_argument,	NULL, OPT_CGROUP },
		{ "all",	no_argument,		NULL, 'a' },
		{ "live",	no_argument,		NULL, 'l' },
		{ "extended",	no_argument,		NULL, 'x' },
		{ "json",	no_argument,		NULL, 'J' },
		{ "json-array",	no_argument,		NULL, OPT_ARRAY },
		{ "state",	required_argument,	NULL, OPT_STATE },
		{ "follow",	no_argument,		NULL, 'f' },
		{ "proc",	required_argument,	NULL, OPT_PROC },
		{ "count",	required_argument,	NULL, 'n' },
		{ "help",	no_argument,		NULL, 'h' },
		{ "version",	no_argument,		NULL, VERSION },
		{ }
	};
	const char *cgroup = NULL, *netns = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "TtwsalxJfh46p:L:D:n:u:", longs,
				NULL)) != -1) {
		switch (c) {
		case 'T':
			opt.time = true;
			break;
		case 't':
			opt.timestamp = true;
			break;
		case 'w':
			opt.wide = true;
			break;
		case 's':
			opt.csv = true;
			break;
		case 'p':
			opt.pid = positive_number(optarg, 0x7fffffff, "bad PID");
			break;
		case 'L':
			free(opt.local);
			opt.local = parse_ports(optarg);
			break;
		case 'D':
			free(opt.remote);
			opt.remote = parse_ports(optarg);
			break;
		case '4':
		case '6':
			set_family(c);
			break;
		case 'u':
			add_users(optarg);
			break;
		case OPT_NETNS:
			netns = optarg;
			break;
		case OPT_CGROUP:
			cgroup = optarg;
			break;
		case OPT_STATE:
			opt.state = optarg;
			break;
		case 'f':
			opt.follow = true;
			break;
		case OPT_ARRAY:
			opt.json = true;
			opt.array = true;
			break;
		case OPT_PROC:
			host_set_proc(optarg);
			break;
		case 'a':
			opt.all = true;
			break;
		case 'l':
			opt.live = true;
			break;
		case 'x':
			opt.extended = true;
			break;
		case 'J':
			opt.json = true;
			break;
		case 'n':
			opt.count = positive_number(optarg, -1ULL, "bad count");
			break;
		case 'h':
			output_and_exit(usage);
		case VERSION:
			output_and_exit("tcplife (knetstat) " KNETSTAT_VERSION "\n");
		default:
			exit(2);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	check_options();
	/* They are looked for where --proc says, which may come behind. */
	if (netns)
		opt.netns = netns_number(netns);
	opt.cgroup = cgroup;
	if (cgroup)
		cgroup_want(cgroup);
}

int main(int argc, char **argv)
{
	program_begin(argv, "tcplife");
	follow_prepare();
	parse_options(argc, argv);
	tzset();
	if (opt.live)
		list_live();
	follow();
}
