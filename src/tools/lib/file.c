// SPDX-License-Identifier: GPL-2.0
/*
 * Files that others read at any moment: there in full, or as they were before.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static bool write_all(int fd, struct word contents)
{
	size_t done = 0;
	ssize_t n;

	while (done < contents.len) {
		n = write(fd, contents.at + done, contents.len - done);
		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? n : 0;
	}
	return true;
}

/**
 * file_replace() - put a new file in the place of another
 * @fd: the new one, which is closed
 * @temporary: its path, in the directory of the other
 * @path: the path of the other, which need not be there
 * @mode: its permissions
 * @contents: what is to be in it
 * @sync: whether it must be there after a loss of power
 *
 * Return: true; or false with errno, when the new one is gone and the other as it was.
 */
bool file_replace(int fd, const char *temporary, const char *path, mode_t mode,
		  struct word contents, bool sync)
{
	bool ok = !fchmod(fd, mode) && write_all(fd, contents) && (!sync || !fsync(fd));
	int error = errno;

	if (close(fd) && ok) {
		error = errno;
		ok = false;
	}
	if (ok && rename(temporary, path)) {
		error = errno;
		ok = false;
	}
	if (!ok)
		unlink(temporary);
	errno = error;
	return ok;
}
