/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users: names for numbers, and numbers for names.
 */
#ifndef KNETSTAT_TOOLS_USER_H
#define KNETSTAT_TOOLS_USER_H

#include "common.h"

const char *user_name(u64 uid);
u64 parse_user(const char *arg);

#endif /* KNETSTAT_TOOLS_USER_H */
