/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that somebody else has written: which may be UTF-8, or not.
 */
#ifndef KNETSTAT_TOOLS_UTF8_H
#define KNETSTAT_TOOLS_UTF8_H

#include "text.h"

long next_char(const char *str, size_t len, size_t *used);
bool printable(long c);
size_t text_add_chars(struct text *text, struct word word, size_t max);

#endif /* KNETSTAT_TOOLS_UTF8_H */
