/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for what the open files of sockowner and unixowner hold, and how much of it
 * each user may have.
 */
#ifndef KNETSTAT_OWNER_MEMORY_H
#define KNETSTAT_OWNER_MEMORY_H

#include <linux/gfp.h>
#include <linux/types.h>

struct cred;
struct owner_account;

/**
 * struct owner_memory - what an open file takes its memory from
 * @account: its opener's, whom all is counted for
 * @exempt: the opener may exceed what users may have
 *
 * Owned by the open file. The accounts are shared, under a lock of their own.
 */
struct owner_memory {
	struct owner_account *account;
	bool exempt;
};

int owner_memory_check(void);
int owner_memory_init(struct owner_memory *memory, const struct cred *cred);
void owner_memory_exit(struct owner_memory *memory);
void *owner_alloc(struct owner_memory *memory, size_t size, gfp_t more, int *err);
void owner_free(struct owner_memory *memory, const void *p, size_t size);

#endif /* KNETSTAT_OWNER_MEMORY_H */
