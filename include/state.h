/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Stat column: names of states.
 */
#ifndef KNETSTAT_STATE_H
#define KNETSTAT_STATE_H

#include <linux/string.h>
#include <net/tcp_states.h>

/* The column, and the blank that ends it. */
#define STATE_WIDTH	5

/**
 * state_write_tcp() - write the state of a TCP socket, and a blank
 * @p: where to write
 * @state: TCP_ESTABLISHED and so on
 *
 * Return: where the next field is to be written.
 */
static __always_inline char *state_write_tcp(char *p, unsigned int state)
{
	/* With the blank that ends the column, and of a round size to copy. */
	static const char names[16][8] = {
		[0]			= "-    ",
		[TCP_ESTABLISHED]	= "ESTB ",
		[TCP_SYN_SENT]		= "SYNS ",
		[TCP_SYN_RECV]		= "SYNR ",
		[TCP_FIN_WAIT1]		= "FNW1 ",
		[TCP_FIN_WAIT2]		= "FNW2 ",
		[TCP_TIME_WAIT]		= "TIMW ",
		[TCP_CLOSE]		= "CLSD ",
		[TCP_CLOSE_WAIT]	= "CLSW ",
		[TCP_LAST_ACK]		= "LACK ",
		[TCP_LISTEN]		= "LSTN ",
		[TCP_CLOSING]		= "CLSG ",
		[TCP_NEW_SYN_RECV]	= "SYNR ",
		[13 ... 15]		= "-    ",
	};

	memcpy(p, names[state & 15], sizeof(names[0]));
	return p + STATE_WIDTH;
}

/**
 * state_write_udp() - write the state of a UDP socket, and a blank
 * @p: where to write
 * @state: TCP_ESTABLISHED if it is connected
 *
 * Return: where the next field is to be written.
 */
static inline char *state_write_udp(char *p, unsigned int state)
{
	memcpy(p, state == TCP_ESTABLISHED ? "ESTB " : "UNCN ", STATE_WIDTH);
	return p + STATE_WIDTH;
}

#endif /* KNETSTAT_STATE_H */
