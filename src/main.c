// SPDX-License-Identifier: GPL-2.0
/*
 * knetstat: what a host's sockets are doing, in /proc/net.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "iter.h"
#include "knetstat.h"

static int __init knetstat_init(void)
{
	int err;

	err = iter_init();
	if (err)
		return err;
	err = stat_init();
	if (err)
		return err;
	err = life_init();
	if (err)
		goto err_life;
	err = owner_init();
	if (err)
		goto err_owner;
	return 0;

err_owner:
	life_exit();
err_life:
	stat_exit();
	return err;
}

static void __exit knetstat_exit(void)
{
	owner_exit();
	life_exit();
	stat_exit();
}

module_init(knetstat_init);
module_exit(knetstat_exit);

MODULE_AUTHOR("The knetstat authors");
MODULE_DESCRIPTION("Sockets, their state and their options in /proc/net");
MODULE_LICENSE("GPL");
MODULE_VERSION(KNETSTAT_VERSION);
