// SPDX-License-Identifier: GPL-2.0
/*
 * JSON: an object for each row.
 */
#include <stdio.h>

#include "json.h"
#include "utf8.h"

/* Whether it is one array, and whether that has had a row. */
static bool in_array;
static bool array_row;

/**
 * json_begin() - before the first row
 * @text: where to
 * @array: one array of all rows, instead of a line for each
 */
void json_begin(struct text *text, bool array)
{
	in_array = array;
	if (array)
		text_add_str(text, "[");
}

/**
 * json_row() - before the members of a row
 * @text: where to
 *
 * The row before it has no comma yet: whether one comes was not known.
 */
void json_row(struct text *text)
{
	if (in_array)
		text_add_str(text, array_row ? ",\n" : "\n");
	array_row = true;
}

/**
 * json_row_end() - after the members of a row
 * @text: where to
 */
void json_row_end(struct text *text)
{
	text_add_str(text, in_array ? "}" : "}\n");
}

/**
 * json_end() - after the last row
 * @text: where to
 */
void json_end(struct text *text)
{
	if (in_array)
		text_add_str(text, "\n]\n");
}

/**
 * json_string() - add a string
 * @text: where to
 * @bytes: of what; they need not be UTF-8
 */
void json_string(struct text *text, struct word bytes)
{
	char escape[32];
	size_t used;
	long c;

	text_add(text, "\"", 1);
	for (; bytes.len; bytes.at += used, bytes.len -= used) {
		c = next_char(bytes.at, bytes.len, &used);
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", (char)c);
		else if (printable(c))
			*escape = '\0';
		else if (c > 0xffff)
			snprintf(escape, sizeof(escape), "\\u%04lx\\u%04lx",
				 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
		else
			snprintf(escape, sizeof(escape), "\\u%04lx",
				 c < 0 ? 0xfffd : c);
		if (*escape)
			text_add_str(text, escape);
		else
			text_add(text, bytes.at, used);
	}
	text_add(text, "\"", 1);
}

/**
 * json_key() - begin a member of an object, and the object if it is the first
 * @text: where to
 * @key: its name
 */
void json_key(struct text *text, const char *key)
{
	char last = text->len ? text->data[text->len - 1] : '\n';

	text_add(text, last == '\n' ? "{\"" : ",\"", 2);
	text_add_str(text, key);
	text_add(text, "\":", 2);
}

/**
 * json_number() - add a member that is a number
 * @text: where to
 * @key: its name
 * @number: its value
 */
void json_number(struct text *text, const char *key, u64 number)
{
	json_key(text, key);
	text_add_number(text, number);
}

/**
 * json_text() - add a member that is a string
 * @text: where to
 * @key: its name
 * @value: its value; null where it is empty
 */
void json_text(struct text *text, const char *key, struct word value)
{
	json_key(text, key);
	if (value.len)
		json_string(text, value);
	else
		text_add_str(text, "null");
}

/**
 * json_is_number() - whether a field can stand in JSON as it is
 * @field: the field
 *
 * Return: whether it is a number as JSON knows them, with decimals or without.
 */
bool json_is_number(struct word field)
{
	size_t i = 0, whole;

	while (i < field.len && field.at[i] >= '0' && field.at[i] <= '9')
		i++;
	whole = i;
	if (!whole || (whole > 1 && *field.at == '0'))
		return false;
	if (i == field.len)
		return true;
	if (field.at[i++] != '.')
		return false;
	while (i < field.len && field.at[i] >= '0' && field.at[i] <= '9')
		i++;
	return i == field.len && i > whole + 1;
}
