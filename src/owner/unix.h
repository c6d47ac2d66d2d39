/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Unix sockets.
 */
#ifndef KNETSTAT_OWNER_UNIX_H
#define KNETSTAT_OWNER_UNIX_H

#include "collect.h"

extern const struct owner_kind owner_unix_kind;

#endif /* KNETSTAT_OWNER_UNIX_H */
