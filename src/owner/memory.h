/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for what an open file of sockowner holds.
 */
#ifndef KNETSTAT_OWNER_MEMORY_H
#define KNETSTAT_OWNER_MEMORY_H

#include <linux/gfp.h>
#include <linux/types.h>

void *owner_alloc(size_t size, gfp_t more);

#endif /* KNETSTAT_OWNER_MEMORY_H */
