// SPDX-License-Identifier: GPL-2.0
/*
 * What was found out. See found.h.
 */
#include <linux/build_bug.h>
#include <linux/sched.h>

#include "found.h"

static_assert(sizeof(struct owner_sock) <= 80);

/**
 * owner_found_init() - nothing was found yet
 * @found: where it will be; its memory is there already
 */
void owner_found_init(struct owner_found *found)
{
	owner_array_init(&found->socks, &found->memory, struct owner_sock);
	owner_array_init(&found->ifaces, &found->memory, struct owner_iface);
	owner_array_init(&found->fds, &found->memory, struct owner_fd);
	owner_array_init(&found->processes, &found->memory,
			 struct owner_process);
	owner_paths_init(&found->paths, &found->memory);
}

/**
 * owner_found_free() - free what was found
 * @found: it
 *
 * Context: Process context, may sleep.
 */
void owner_found_free(struct owner_found *found)
{
	owner_paths_free(&found->paths);
	owner_array_free(&found->processes);
	owner_array_free(&found->fds);
	owner_array_free(&found->ifaces);
	owner_array_free(&found->socks);
}

/* The row after the last descriptor of a process; see owner_next_row(). May sleep. */
bool owner_next_holder(const struct owner_found *found,
		       struct owner_cursor *cursor, struct owner_row *row)
{
	while (cursor->processes < found->processes.count) {
		const struct owner_process *process =
			owner_array_at(&found->processes, struct owner_process,
				       cursor->processes++);

		if (process->shares) {
			*row = (struct owner_row){ .process = process };
			cursor->at++;
			return true;
		}
		cursor->holder = process;
		cursor->fd = process->first;
		cursor->end = process->first + process->count;
		if (cursor->fd < cursor->end)
			return owner_next_row(found, cursor, row);
	}
	while (cursor->sock < found->socks.count) {
		const struct owner_sock *sock =
			owner_array_at(&found->socks, struct owner_sock,
				       cursor->sock++);

		/* As a rule all of them have their rows already, and these are a million. */
		if (!(cursor->sock % 1024))
			cond_resched();
		if (sock->held == OWNER_HELD_FD)
			continue;
		*row = (struct owner_row){ .sock = sock };
		cursor->at++;
		return true;
	}
	return false;
}

static u64 owner_fd_key(const struct owner_array *fds, unsigned long i)
{
	const struct owner_fd *fd = owner_array_at(fds, struct owner_fd, i);

	return (u64)fd->fd << 32 | fd->sock;
}

static void owner_swap_fds(const struct owner_array *fds, unsigned long i,
			   unsigned long j)
{
	struct owner_fd *one = owner_array_at(fds, struct owner_fd, i);
	struct owner_fd *other = owner_array_at(fds, struct owner_fd, j);
	struct owner_fd saved = *one;

	*one = *other;
	*other = saved;
}

/* Moves a descriptor down the heap of @count descriptors from @first on. */
static void owner_sift_fd(const struct owner_array *fds, unsigned long first,
			  unsigned long i, unsigned long count)
{
	unsigned long child;

	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
		    owner_fd_key(fds, first + child + 1) >
		    owner_fd_key(fds, first + child))
			child++;
		if (owner_fd_key(fds, first + i) >=
		    owner_fd_key(fds, first + child))
			return;
		owner_swap_fds(fds, first + i, first + child);
		i = child;
	}
}

/**
 * owner_order_fds() - order a process's descriptors, each once
 * @found: what was found
 * @first: the number of its first descriptor; all from there on are its
 *
 * Of a process whose threads have tables of their own. A heap sort: it needs no
 * memory, and nobody can choose descriptors that make it slow.
 *
 * Context: Process context, may sleep.
 */
void owner_order_fds(struct owner_found *found, unsigned long first)
{
	struct owner_array *fds = &found->fds;
	unsigned long count = fds->count - first, i, kept;

	for (i = count / 2; i-- > 0;) {
		owner_sift_fd(fds, first, i, count);
		cond_resched();
	}
	for (i = count; i-- > 1;) {
		owner_swap_fds(fds, first, first + i);
		owner_sift_fd(fds, first, 0, i);
		cond_resched();
	}
	for (i = 1, kept = min(count, 1UL); i < count; i++)
		if (owner_fd_key(fds, first + i) !=
		    owner_fd_key(fds, first + kept - 1))
			owner_swap_fds(fds, first + kept++, first + i);
	owner_array_truncate(fds, first + kept);
}
