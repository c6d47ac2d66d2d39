// SPDX-License-Identifier: GPL-2.0
/*
 * tcplife: the finished TCP sessions of the host, and who they were of.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "counters.h"
#include "file.h"
#include "knetstat.h"
#include "live.h"
#include "older.h"
#include "portsfile.h"
#include "probe.h"
#include "procfile.h"
#include "record.h"
#include "use.h"

#define LIFE_RECORDS_MAX	4194304U
#define LIFE_SESSIONS_MAX	4194304U
/* An open tcpports keeps eight bytes for each: no more than for its text. */
#define LIFE_PORTS_MAX		16384U

static unsigned int records = 16384;
module_param(records, uint, 0444);
MODULE_PARM_DESC(records, "finished TCP sessions to keep; 0 turns recording off (default 16384)");

static unsigned int sessions = 65536;
module_param(sessions, uint, 0444);
MODULE_PARM_DESC(sessions, "live TCP sessions to track (default 65536)");

static unsigned int ports = 4096;
module_param(ports, uint, 0444);
MODULE_PARM_DESC(ports, "service ports to count for, of all namespaces (default 4096)");

static int __init life_check_params(void)
{
	if (records > LIFE_RECORDS_MAX) {
		pr_err("records=%u is out of range: 0 to %u\n", records,
		       LIFE_RECORDS_MAX);
		return -EINVAL;
	}
	if (!sessions || sessions > LIFE_SESSIONS_MAX) {
		pr_err("sessions=%u is out of range: 1 to %u\n", sessions,
		       LIFE_SESSIONS_MAX);
		return -EINVAL;
	}
	if (!ports || ports > LIFE_PORTS_MAX) {
		pr_err("ports=%u is out of range: 1 to %u\n", ports,
		       LIFE_PORTS_MAX);
		return -EINVAL;
	}
	if (records)
		records = roundup_pow_of_two(records);
	sessions = roundup_pow_of_two(sessions);
	return 0;
}

/**
 * life_init() - begin to record, and make the files in every namespace
 *
 * Context: Process context, at load.
 * Return: 0, or a negative error after saying why in the kernel log.
 */
int __init life_init(void)
{
	int err;

	err = life_check_params();
	if (err)
		return err;
	err = procfile_check("tcplife");
	if (err)
		return err;
	err = procfile_check("tcplive");
	if (err)
		return err;
	err = procfile_check("tcpports");
	if (err)
		return err;
	err = procfile_check("stat/tcplife");
	if (err)
		return err;

	/* Without recording the files are there, and empty. */
	err = record_init(records ?: 1, records ? sessions : 1,
			  records ? ports : 1);
	if (err)
		goto err_record;
	err = lifefile_init();
	if (err)
		goto err_file;
	err = live_init();
	if (err)
		goto err_live;
	err = portsfile_init();
	if (err)
		goto err_ports;
	err = counters_init();
	if (err)
		goto err_counters;
	if (!records)
		return 0;
	err = probe_init();
	if (err)
		goto err_probe;
	use_init();
	older_init();
	return 0;

err_probe:
	counters_exit();
err_counters:
	portsfile_exit();
err_ports:
	live_exit();
err_live:
	lifefile_exit();
err_file:
	record_exit();
err_record:
	pr_err("cannot record sessions (records=%u sessions=%u ports=%u): error %d\n",
	       records, sessions, ports, err);
	return err;
}

/**
 * life_exit() - remove the files and forget what was recorded
 *
 * Context: Process context. When it returns nothing of this wing runs, and
 * nobody waits.
 */
void life_exit(void)
{
	if (records) {
		use_exit();
		probe_exit();
	}
	counters_exit();
	portsfile_exit();
	live_exit();
	lifefile_exit();
	record_exit();
}
