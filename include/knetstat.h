/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the module includes.
 */
#ifndef KNETSTAT_H
#define KNETSTAT_H

#undef pr_fmt
#define pr_fmt(fmt)	"knetstat: " fmt

#endif /* KNETSTAT_H */
