// SPDX-License-Identifier: GPL-2.0
/*
 * knetstat: what a host's sockets are doing, in /proc/net.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "iter.h"
#include "knetstat.h"
#include "lifefile.h"
#include "ownerfile.h"
#include "table.h"

static int __init knetstat_init(void)
{
	int err;

	err = iter_init();
	if (err)
		return err;
	err = table_init();
	if (err)
		return err;
	err = lifefile_init();
	if (err)
		goto err_lifefile;
	err = ownerfile_init();
	if (err)
		goto err_ownerfile;
	return 0;

err_ownerfile:
	lifefile_exit();
err_lifefile:
	table_exit();
	return err;
}

static void __exit knetstat_exit(void)
{
	ownerfile_exit();
	lifefile_exit();
	table_exit();
}

module_init(knetstat_init);
module_exit(knetstat_exit);

MODULE_AUTHOR("The knetstat authors");
MODULE_DESCRIPTION("Sockets, their state and their options in /proc/net");
MODULE_LICENSE("GPL");
MODULE_VERSION(KNETSTAT_VERSION);
