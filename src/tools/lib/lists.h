/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What options are given: numbers, and lists of them. Bad ones end the program.
 */
#ifndef KNETSTAT_TOOLS_LISTS_H
#define KNETSTAT_TOOLS_LISTS_H

#include "text.h"

bool list_next(const char **list, struct word *word);
bool parse_number(struct word word, u64 max, u64 *number);
u64 positive_number(const char *arg, u64 max, const char *complaint);
bool *parse_ports(const char *arg);

#endif /* KNETSTAT_TOOLS_LISTS_H */
