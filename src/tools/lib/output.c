// SPDX-License-Identifier: GPL-2.0
/*
 * What goes to stdout. See output.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "say.h"

struct output out;

/* What write() could not do: whether to try again. */
static void output_failed(void)
{
	struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (errno == EPIPE) {
		if (out.closed)
			out.closed();
		exit(1);
	}
	if (errno == EAGAIN)
		poll(&ready, 1, -1);
	else if (errno != EINTR)
		die("cannot write: %s", strerror(errno));
}

/**
 * output_flush() - write all there is
 */
void output_flush(void)
{
	size_t done = 0;
	ssize_t n;

	while (done < out.text.len) {
		if (out.wait)
			out.wait();
		n = write(STDOUT_FILENO, out.text.data + done, out.text.len - done);
		if (n < 0)
			output_failed();
		else
			done += n;
	}
	out.text.len = 0;
	out.row = 0;
}

/**
 * output_drop_row() - write all rows but the last, and forget that
 */
void output_drop_row(void)
{
	out.text.len = out.row;
	if (out.kept)
		out.kept();
	output_flush();
}

/**
 * output_and_exit() - print a text, and nothing else
 * @text: the text
 */
void output_and_exit(const char *text)
{
	text_add_str(&out.text, text);
	output_flush();
	exit(0);
}
