/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON: an object for each row.
 */
#ifndef KNETSTAT_TOOLS_JSON_H
#define KNETSTAT_TOOLS_JSON_H

#include "text.h"

void json_begin(struct text *text, bool array);
void json_row(struct text *text);
void json_row_end(struct text *text);
void json_end(struct text *text);
void json_string(struct text *text, struct word bytes);
void json_key(struct text *text, const char *key);
void json_number(struct text *text, const char *key, u64 number);
void json_text(struct text *text, const char *key, struct word value);
bool json_is_number(struct word field);

#endif /* KNETSTAT_TOOLS_JSON_H */
