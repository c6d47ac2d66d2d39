// SPDX-License-Identifier: GPL-2.0
/*
 * Who is at the other end of a Unix socket: the rows of unixowner by inode number.
 */
#include "map.h"
#include "sockstat.h"

static struct peer *peers;
static struct map map;

/**
 * peers_read() - note whose each Unix socket is; there must be a way back
 */
void peers_read(void)
{
	size_t count = 0, room = 0;
	struct row row = { };

	rows_rewind(true);
	while (rows_next(&row)) {
		if (!is_unix(&row))
			continue;
		if (count == room) {
			room = 2 * room + 1024;
			peers = more(peers, room, sizeof(*peers));
		}
		if (map_find(&map, row.inode, NULL))
			continue;
		map_add(&map, row.inode, count);
		peers[count++] = (struct peer){ row.pid, row.comm, row.fd, row.path };
	}
	rows_rewind(false);
}

/**
 * peer_of() - who holds a Unix socket
 * @inode: its inode number
 *
 * Return: the first one who does; NULL: there is no such socket.
 */
const struct peer *peer_of(u64 inode)
{
	const struct map_slot *slot = map_find(&map, inode, NULL);

	return slot ? &peers[slot->value - 1] : NULL;
}
