/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that others read at any moment.
 */
#ifndef KNETSTAT_TOOLS_FILE_H
#define KNETSTAT_TOOLS_FILE_H

#include <sys/types.h>

#include "text.h"

bool file_replace(int fd, const char *temporary, const char *path, mode_t mode,
		  struct word contents, bool sync);

#endif /* KNETSTAT_TOOLS_FILE_H */
