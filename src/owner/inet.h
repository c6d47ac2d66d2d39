/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sockets that sockowner shows, as processes hold them.
 */
#ifndef KNETSTAT_OWNER_INET_H
#define KNETSTAT_OWNER_INET_H

#include "collect.h"

extern const struct owner_kind owner_inet_kind;

#endif /* KNETSTAT_OWNER_INET_H */
