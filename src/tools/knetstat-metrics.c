// SPDX-License-Identifier: GPL-2.0
/*
 * knetstat-metrics: prints what the module's files count, for who collects metrics:
 * OpenMetrics, or the older text format of Prometheus.
 *
 * It prints them, writes them to a file, or answers one request of HTTP with them. They
 * are made in memory first, so that nobody gets half of them.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "knetstat-metrics/metrics.h"
#include "lib/host.h"
#include "lib/lists.h"
#include "lib/output.h"
#include "lib/say.h"

#define LIMIT		200
#define LIMIT_MAX	100000
#define TIMEOUT		10
#define TIMEOUT_MAX	3600

struct options opt = {
	.collect = BIT(COLLECTED) - 1,
	.limit = LIMIT,
	.timeout = TIMEOUT,
};

static const char * const collected_names[COLLECTED] = {
	[SESSIONS] = "sessions", [RECORDER] = "recorder", [TROUBLE] = "trouble",
	[LISTENERS] = "listeners", [UDP] = "udp", [SOCKETS] = "sockets",
};

static const char usage[] =
"usage: knetstat-metrics [-h] [-f FORMAT] [-t DIR | --http] [-c FAMILIES] [-p PORTS]\n"
"                        [--limit N] [--timeout SECONDS] [--proc DIR]\n"
"\n"
"Prints metrics of what the module knetstat knows: TCP sessions by port, sockets in\n"
"trouble, listeners, and sockets by process name.\n"
"\n"
"  -f, --format FORMAT      openmetrics (the default), or prometheus: its older text\n"
"                           format, 0.0.4\n"
"  -t, --textfile DIR       write DIR/knetstat.prom, for node_exporter\n"
"      --http               answer one request for /metrics on stdin; also without it\n"
"                           where that is a TCP connection: of a systemd socket, of inetd\n"
"  -c, --collect FAMILIES   only these of sessions, recorder, trouble, listeners, udp,\n"
"                           sockets\n"
"  -p, --ports PORTS        only these ports by themselves: 22,80,8000-8999\n"
"      --limit N            at most N ports, addresses or names of a kind by themselves\n"
"                           (default 200)\n"
"      --timeout SECONDS    how long an HTTP client may take (default 10)\n"
"      --proc DIR           the host's procfs, where it is mounted elsewhere (or\n"
"                           HOST_PROC)\n"
"  -h, --help               print this\n"
"      --version            print the version\n"
"\n"
"  knetstat-metrics                                        what there is\n"
"  knetstat-metrics -t /var/lib/prometheus/node-exporter   for cron or a timer\n"
"  knetstat-metrics -c sessions,trouble                    what costs little\n";

static enum format parse_format(const char *arg)
{
	if (!strcmp(arg, "openmetrics"))
		return OPENMETRICS;
	if (strcmp(arg, "prometheus"))
		usage_error("bad format (openmetrics, prometheus)", arg);
	return PROMETHEUS;
}

static unsigned int parse_families(const char *arg)
{
	const char *list = arg;
	unsigned int named = 0, i;
	struct word word;

	while (list_next(&list, &word)) {
		for (i = 0; i < COLLECTED && !word_is(word, collected_names[i]); i++)
			;
		if (i == COLLECTED)
			usage_error("bad list of families (sessions, recorder, listeners ...)",
				    arg);
		named |= BIT(i);
	}
	return named;
}

static void parse_options(int argc, char **argv)
{
	enum { VERSION = 256, OPT_HTTP, OPT_LIMIT, OPT_TIMEOUT, OPT_PROC };
	static const struct option longs[] = {
		{ "format",	required_argument,	NULL, 'f' },
		{ "textfile",	required_argument,	NULL, 't' },
		{ "http",	no_argument,		NULL, OPT_HTTP },
		{ "collect",	required_argument,	NULL, 'c' },
		{ "ports",	required_argument,	NULL, 'p' },
		{ "limit",	required_argument,	NULL, OPT_LIMIT },
		{ "timeout",	required_argument,	NULL, OPT_TIMEOUT },
		{ "proc",	required_argument,	NULL, OPT_PROC },
		{ "help",	no_argument,		NULL, 'h' },
		{ "version",	no_argument,		NULL, VERSION },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:f:hp:t:", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			opt.format = parse_format(optarg);
			break;
		case 't':
			opt.textfile = optarg;
			break;
		case OPT_HTTP:
			opt.http = true;
			break;
		case 'c':
			opt.collect = parse_families(optarg);
			break;
		case 'p':
			free(opt.ports);
			opt.ports = parse_ports(optarg);
			break;
		case OPT_LIMIT:
			opt.limit = positive_number(optarg, LIMIT_MAX, "bad limit");
			break;
		case OPT_TIMEOUT:
			opt.timeout = positive_number(optarg, TIMEOUT_MAX,
						      "bad timeout (seconds)");
			break;
		case OPT_PROC:
			host_set_proc(optarg);
			break;
		case 'h':
			output_and_exit(usage);
		case VERSION:
			output_and_exit("knetstat-metrics (knetstat) " KNETSTAT_VERSION "\n");
		default:
			exit(2);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
	if (opt.textfile && opt.http)
		usage_error("--http doesn't go with -t", NULL);
}

int main(int argc, char **argv)
{
	struct text text = { };

	program_begin(argv, "knetstat-metrics");
	parse_options(argc, argv);
	if (opt.textfile) {
		print_metrics(&text, opt.format ?: PROMETHEUS);
		write_textfile(opt.textfile, &text);
		free(text.data);
		return 0;
	}
	if (http_is_wanted() || opt.http)
		http_answer();
	print_metrics(&text, opt.format ?: OPENMETRICS);
	out.text = text;
	output_flush();
	return 0;
}
