/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The internet sockets that processes hold.
 */
#ifndef KNETSTAT_OWNER_INET_H
#define KNETSTAT_OWNER_INET_H

#include "held.h"

extern const struct owner_kind owner_inet_kind;

#endif /* KNETSTAT_OWNER_INET_H */
