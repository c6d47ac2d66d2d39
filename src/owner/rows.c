// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of sockowner: how they are kept, found and written.
 *
 * All memory is charged to the memory cgroup of who opens the file, and is in
 * proportion to the rows. A user can ask for a lot of it, so that there is none
 * is nothing to tell the log.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "field.h"
#include "rows.h"
#include "state.h"

/*
 * Memory for rows. Any user can have very many of them, with processes that share a
 * table of many descriptors, and then nobody is to be killed for it: so this fails
 * where kvmalloc() would not. Free it with kvfree().
 */
static void *owner_alloc(size_t size, gfp_t more)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | more;
	void *p = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		p = kmalloc(size, gfp | __GFP_NORETRY);
	return p ?: __vmalloc(size, gfp | __GFP_RETRY_MAYFAIL);
}

static struct owner_chunk *owner_rows_last(const struct owner_rows *rows)
{
	if (list_empty(&rows->chunks))
		return NULL;
	return list_last_entry(&rows->chunks, struct owner_chunk, list);
}

static void owner_chunk_free(struct owner_chunk *chunk)
{
	list_del(&chunk->list);
	kvfree(chunk);
}

/**
 * owner_rows_init() - make an array of no rows
 * @rows: the array
 */
void owner_rows_init(struct owner_rows *rows)
{
	INIT_LIST_HEAD(&rows->chunks);
	rows->count = 0;
}

/**
 * owner_rows_grow() - get room at the end
 * @rows: the array
 * @room: for so many rows, at most OWNER_CHUNK_ROWS
 *
 * Who fills in a row there counts it, in the chunk and in @rows.
 *
 * Context: Process context, sleeps.
 * Return: the last chunk, which has that room; or NULL.
 */
struct owner_chunk *owner_rows_grow(struct owner_rows *rows, unsigned int room)
{
	struct owner_chunk *chunk = owner_rows_last(rows);

	if (chunk && OWNER_CHUNK_ROWS - chunk->count >= room)
		return chunk;
	chunk = owner_alloc(sizeof(*chunk), 0);
	if (!chunk)
		return NULL;
	chunk->count = 0;
	list_add_tail(&chunk->list, &rows->chunks);
	return chunk;
}

/**
 * owner_rows_truncate() - take rows back
 * @rows: the array
 * @count: how many to leave
 *
 * Context: Process context, may sleep.
 */
void owner_rows_truncate(struct owner_rows *rows, unsigned long count)
{
	while (rows->count > count) {
		struct owner_chunk *chunk = owner_rows_last(rows);
		unsigned int n = min_t(unsigned long, rows->count - count,
				       chunk->count);

		chunk->count -= n;
		rows->count -= n;
		if (!chunk->count)
			owner_chunk_free(chunk);
		cond_resched();
	}
}

static int owner_compare(const void *a, const void *b)
{
	const struct owner_row *one = a, *other = b;

	/* sort() itself does not; who sorts a million rows has to. */
	cond_resched();
	if (one->fd != other->fd)
		return one->fd < other->fd ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	/* With what pads them, which owner_copy_addresses() clears. */
	return memcmp(&one->ends, &other->ends, sizeof(one->ends));
}

/**
 * owner_rows_sort() - order a process's rows by descriptor, each once
 * @rows: the array
 * @first: the process's first row; all from there on are its rows
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOMEM; then rows may be missing.
 */
int owner_rows_sort(struct owner_rows *rows, unsigned long first)
{
	unsigned long count = rows->count - first, at = count, i;
	struct owner_row *sorted;
	struct owner_chunk *chunk;

	if (count < 2)
		return 0;
	sorted = owner_alloc(array_size(count, sizeof(*sorted)), 0);
	if (!sorted)
		return -ENOMEM;
	while (at) {
		unsigned int n;

		chunk = owner_rows_last(rows);
		n = min_t(unsigned long, at, chunk->count);
		at -= n;
		memcpy(&sorted[at], &chunk->rows[chunk->count - n],
		       n * sizeof(*sorted));
		owner_rows_truncate(rows, rows->count - n);
		/* An empty one is still there if it was so before. */
		if (!n)
			owner_chunk_free(chunk);
	}
	sort(sorted, count, sizeof(*sorted), owner_compare, NULL);
	for (i = 0; i < count; i++) {
		if (i && !owner_compare(&sorted[i - 1], &sorted[i]))
			continue;
		chunk = owner_rows_grow(rows, 1);
		if (!chunk)
			break;
		chunk->rows[chunk->count++] = sorted[i];
		rows->count++;
	}
	kvfree(sorted);
	return i < count ? -ENOMEM : 0;
}

/**
 * owner_rows_drop_held() - leave out the rows that are marked as held
 * @rows: the array
 *
 * The others move up, and the memory that they no longer need is freed.
 *
 * Context: Process context, may sleep.
 */
void owner_rows_drop_held(struct owner_rows *rows)
{
	struct owner_chunk *to, *from, *next;
	unsigned int kept = 0, count, i;

	rows->count = 0;
	to = list_first_entry(&rows->chunks, struct owner_chunk, list);
	list_for_each_entry(from, &rows->chunks, list) {
		/* Before any row is moved into this chunk. */
		count = from->count;
		for (i = 0; i < count; i++) {
			if (from->rows[i].held)
				continue;
			if (kept == OWNER_CHUNK_ROWS) {
				to->count = kept;
				to = list_next_entry(to, list);
				kept = 0;
			}
			to->rows[kept++] = from->rows[i];
			rows->count++;
		}
		cond_resched();
	}
	if (list_empty(&rows->chunks))
		return;
	to->count = kept;
	list_for_each_entry_safe_continue(to, next, &rows->chunks, list)
		owner_chunk_free(to);
}

/**
 * owner_rows_append() - move rows from one array to the end of another
 * @rows: where to
 * @more: the rows; empty afterwards
 */
void owner_rows_append(struct owner_rows *rows, struct owner_rows *more)
{
	list_splice_tail_init(&more->chunks, &rows->chunks);
	rows->count += more->count;
	more->count = 0;
}

/**
 * owner_rows_free() - free all rows
 * @rows: the array; empty afterwards
 *
 * Context: Process context, may sleep.
 */
void owner_rows_free(struct owner_rows *rows)
{
	struct owner_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &rows->chunks, list) {
		owner_chunk_free(chunk);
		cond_resched();
	}
	rows->count = 0;
}

/* Where a key is looked for first: the high bits of its product with @factor. */
static unsigned long owner_map_home(const struct owner_map *map, u64 key)
{
	return key * map->factor >> (64 - ilog2(map->mask + 1));
}

/**
 * owner_map_init() - make an empty map
 * @map: the map
 * @count: how many keys it is to hold
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOMEM.
 */
int owner_map_init(struct owner_map *map, unsigned long count)
{
	unsigned long slots = roundup_pow_of_two(max(2 * count, 16UL));

	map->mask = slots - 1;
	map->factor = get_random_u64() | 1;
	map->count = 0;
	map->slots = owner_alloc(array_size(slots, sizeof(*map->slots)),
				 __GFP_ZERO);
	return map->slots ? 0 : -ENOMEM;
}

/**
 * owner_map_add() - put a key into a map, once more if it is there already
 * @map: the map
 * @key: the key, not 0
 * @row: the row it leads to, or NULL
 *
 * Return: whether it fit.
 */
bool owner_map_add(struct owner_map *map, u64 key, struct owner_row *row)
{
	unsigned long i = owner_map_home(map, key);

	if (map->count == map->mask)
		return false;
	while (map->slots[i].key)
		i = (i + 1) & map->mask;
	map->slots[i].key = key;
	map->slots[i].row = row;
	map->count++;
	return true;
}

/**
 * owner_map_next() - find a key in a map
 * @map: the map
 * @key: the key, not 0
 * @slot: where it was found the last time, or NULL
 *
 * Context: Any.
 * Return: where else it is, or NULL.
 */
struct owner_slot *owner_map_next(const struct owner_map *map, u64 key,
				  struct owner_slot *slot)
{
	unsigned long i;

	if (!map->count)
		return NULL;
	i = slot ? slot - map->slots + 1 : owner_map_home(map, key);
	do {
		slot = &map->slots[i++ & map->mask];
		if (slot->key == key)
			return slot;
	} while (slot->key);
	return NULL;
}

/**
 * owner_map_free() - free a map
 * @map: the map; all zeros if it was not made yet
 *
 * Context: Process context, may sleep.
 */
void owner_map_free(struct owner_map *map)
{
	kvfree(map->slots);
}

/* Where the columns begin. */
enum {
	OWNER_UID	= 0,
	OWNER_PID	= OWNER_UID + 6,
	OWNER_COMM	= OWNER_PID + 8,
	OWNER_FD	= OWNER_COMM + 17,
	OWNER_PROTO	= OWNER_FD + 6,
	OWNER_STAT	= OWNER_PROTO + 6,
	OWNER_LOCAL	= OWNER_STAT + STATE_WIDTH,
	OWNER_FOREIGN	= OWNER_LOCAL + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_INODE	= OWNER_FOREIGN + FIELD_IPV4_MAX + FIELD_PORT_MAX + 1,
	OWNER_END	= OWNER_INODE + 9,
};

#define OWNER_HEADER "  UID     PID COMM                FD PROTO STAT LOCAL                 FOREIGN                  INODE\n"

/* The first line. */
const char owner_header[] = OWNER_HEADER;

static_assert(sizeof(owner_header) == OWNER_END + 1);

static __always_inline char *
owner_end_write(char *p, char *column, const struct owner_row *row,
		const struct in6_addr *addr, u16 port)
{
	p = field_address(p, &row->ends, addr);
	return field_pad(field_port(p, port), column);
}

/* UID, PID and COMM; returns where FD is to be written, or the blanks before. */
static char *owner_holder_write(char *p, const struct owner_row *row)
{
	char *begin = p;

	p = field_right(p, begin + OWNER_PID, row->uid);
	if (row->pid) {
		p = field_right(p, begin + OWNER_COMM, row->pid);
		p = field_comm(p, row->comm);
	} else {
		p = field_pad(p - 1, begin + OWNER_COMM - 2);
		p = field_str(p, "- -");
	}
	return field_pad(p, begin + OWNER_FD);
}

static bool owner_same_holder(const struct owner_row *one,
			      const struct owner_row *other)
{
	return one->uid == other->uid && one->pid == other->pid &&
	       (!one->pid || !memcmp(one->comm, other->comm, TASK_COMM_LEN));
}

/**
 * owner_row_write() - write a row as a line
 * @writer: what was written before
 * @p: where to; room for OWNER_ROW_MAX
 * @row: the row; it and the line must stay there for the next call
 *
 * Context: Any.
 * Return: where the line ends.
 */
char *owner_row_write(struct owner_writer *writer, char *p,
		      const struct owner_row *row)
{
	static const char protos[2][2][8] = {
		{ "tcp4  ", "tcp6  " }, { "udp4  ", "udp6  " },
	};
	char *begin = p, *fd;

	/* Most rows are of the same process as the one before. */
	if (writer->row && owner_same_holder(writer->row, row)) {
		memcpy(p, writer->line, OWNER_FD);
		if (unlikely(writer->length > OWNER_FD))
			memcpy(p, writer->line, writer->length);
		p += writer->length;
	} else {
		p = owner_holder_write(p, row);
		writer->length = p - begin;
	}
	writer->row = row;
	writer->line = begin;

	fd = begin + OWNER_PROTO;
	if (!row->pid)
		p = field_str(field_pad(p - 1, fd - 2), "- ");
	else
		p = field_right(p, fd, row->fd);
	memcpy(p, protos[row->udp][row->ends.family == AF_INET6], 8);
	p += OWNER_STAT - OWNER_PROTO;
	p = row->udp ? state_write_udp(p, row->state) :
		       state_write_tcp(p, row->state);
	p = owner_end_write(p, begin + OWNER_FOREIGN, row, &row->ends.laddr,
			    row->ends.lport);
	p = owner_end_write(p, begin + OWNER_INODE, row, &row->ends.raddr,
			    row->ends.rport);
	p = field_right8(p, row->inode);
	p[-1] = '\n';
	return p;
}
