// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for what an open file of sockowner holds. All of it is charged to the
 * memory cgroup of whoever opens the file.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "memory.h"

/**
 * owner_alloc() - get memory
 * @size: how much
 * @more: flags besides
 *
 * Any user can ask for a lot of it, and nobody is to be killed for that: so it
 * fails where kvmalloc() would not, and tells the log nothing.
 *
 * Context: Process context, sleeps.
 * Return: the memory, to be freed by kvfree(); or NULL.
 */
void *owner_alloc(size_t size, gfp_t more)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | more;
	void *p = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		p = kmalloc(size, gfp | __GFP_NORETRY);
	return p ?: __vmalloc(size, gfp | __GFP_RETRY_MAYFAIL);
}
