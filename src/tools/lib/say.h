/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes to stderr, and how a program begins.
 */
#ifndef KNETSTAT_TOOLS_SAY_H
#define KNETSTAT_TOOLS_SAY_H

#include "common.h"

__printf(1, 2) void say(const char *format, ...);
noreturn __printf(1, 2) void die(const char *format, ...);
noreturn void usage_error(const char *complaint, const char *arg);
void program_begin(char **argv, const char *name);

#endif /* KNETSTAT_TOOLS_SAY_H */
