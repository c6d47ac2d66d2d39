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

#include "lib/lists.h"
#include "lib/output.h"
#include "lib/say.h"
#include "tcplife/tcplife.h"

struct options opt;

static const char usage[] =
"usage: tcplife [-h] [-T] [-t] [-w] [-s] [-p PID] [-L PORTS] [-D PORTS] [-4 | -6]\n"
"               [-a | -l] [-x] [-J] [-n N]\n"
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
"  -a, --all               begin with the sessions that have ended already\n"
"  -l, --live              print the sessions that are alive now, and end\n"
"  -x, --extended          all columns of the file, as they are there\n"
"  -J, --json              all columns, a JSON object for each session\n"
"  -n, --count N           stop after N sessions\n"
"  -h, --help              print this\n"
"      --version           print the version\n"
"\n"
"  tcplife -T              sessions from now on, until Ctrl-C\n"
"  tcplife -a -L 80,443    what has been and will be served on two ports\n"
"  tcplife -lT             who is connected now, and since when\n"
"  tcplife -stT            for a spreadsheet\n"
"  tcplife -aJ -n 100      for a program: the 100 oldest that are still known\n";

static void set_family(char family)
{
	if (opt.family && opt.family != family)
		usage_error("-4 and -6 exclude each other", NULL);
	opt.family = family;
}

static void parse_options(int argc, char **argv)
{
	enum { VERSION = 256 };
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
		{ "all",	no_argument,		NULL, 'a' },
		{ "live",	no_argument,		NULL, 'l' },
		{ "extended",	no_argument,		NULL, 'x' },
		{ "json",	no_argument,		NULL, 'J' },
		{ "count",	required_argument,	NULL, 'n' },
		{ "help",	no_argument,		NULL, 'h' },
		{ "version",	no_argument,		NULL, VERSION },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "TtwsalxJh46p:L:D:n:", longs,
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
	if (opt.live && (opt.all || opt.timestamp))
		usage_error("-a and -t don't go with -l", NULL);
	if (opt.json && (opt.time || opt.timestamp || opt.wide || opt.csv))
		usage_error("-T, -t, -w and -s don't go with -J", NULL);
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
