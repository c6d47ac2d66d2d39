// SPDX-License-Identifier: GPL-2.0
/*
 * Text that grows. Who gets no memory ends.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "say.h"
#include "text.h"

/**
 * more() - room for more
 * @data: what there is, or NULL
 * @count: how many there are to be
 * @size: of what size each
 *
 * Return: where they are now.
 */
void *more(void *data, size_t count, size_t size)
{
	data = reallocarray(data, count, size);
	if (!data)
		die("no memory");
	return data;
}

/**
 * copy_of() - a string of its own
 * @str: its first byte
 * @len: how many
 *
 * Return: the string, to be freed.
 */
char *copy_of(const char *str, size_t len)
{
	char *copy = strndup(str, len);

	if (!copy)
		die("no memory");
	return copy;
}

/**
 * formatted() - a string of its own, as printf makes it
 * @format: as printf's
 *
 * Return: the string, to be freed.
 */
char *formatted(const char *format, ...)
{
	va_list args;
	char *str;
	int n;

	va_start(args, format);
	n = vasprintf(&str, format, args);
	va_end(args);
	if (n < 0)
		die("no memory");
	return str;
}

/* What text_reserve() does when there is no room. */
void text_grow(struct text *text, size_t len)
{
	text->size = 2 * text->size + len;
	text->data = more(text->data, text->size, 1);
}

/**
 * text_addf() - add what printf makes
 * @text: the text
 * @format: as printf's
 */
void text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	size_t room;
	int n;

	text_reserve(text, 256);
	for (;;) {
		room = text->size - text->len;
		va_start(args, format);
		n = vsnprintf(text->data + text->len, room, format, args);
		va_end(args);
		if (n < 0)
			return;
		if ((size_t)n < room)
			break;
		text_reserve(text, n + 1);
	}
	text->len += n;
}

/* Adds blanks: by one store of a fixed size, as a rule. */
static void add_blanks(struct text *text, size_t blanks)
{
	text_reserve(text, blanks + SLACK);
	if (blanks <= SLACK)
		memset(text->data + text->len, ' ', SLACK);
	else
		memset(text->data + text->len, ' ', blanks);
	text->len += blanks;
}

/**
 * text_add_column() - add a word, blanks up to a width, and one more
 * @text: the text
 * @word: the word; it has SLACK behind it
 * @width: the column's
 */
void text_add_column(struct text *text, struct word word, size_t width)
{
	text_add_word(text, word);
	add_blanks(text, word.len < width ? width - word.len + 1 : 1);
}

/**
 * text_add_escaped() - add bytes that make one field, as the kernel escapes names
 * @text: the text
 * @word: the bytes
 * @also: what is to be escaped, too; 0: nothing else
 */
void text_add_escaped(struct text *text, struct word word, char also)
{
	size_t i;

	for (i = 0; i < word.len; i++) {
		unsigned char c = word.at[i];

		if (c <= ' ' || c > '~' || c == '\\' || c == also)
			text_addf(text, "\\%03o", c);
		else
			text_add(text, word.at + i, 1);
	}
}

/* The digits of a number, which end at @end. */
static struct word digits_of(u64 number, char *end)
{
	char *p = end;

	do {
		*--p = '0' + number % 10;
		number /= 10;
	} while (number);
	return (struct word){ p, end - p };
}

/**
 * text_add_number() - add a number in decimal
 * @text: the text
 * @number: the number
 */
void text_add_number(struct text *text, u64 number)
{
	char digits[20];
	struct word word = digits_of(number, digits + sizeof(digits));

	text_add(text, word.at, word.len);
}

/**
 * text_add_number_right() - add blanks, and a number in decimal
 * @text: the text
 * @number: the number
 * @width: of both
 */
void text_add_number_right(struct text *text, u64 number, size_t width)
{
	char digits[20];
	struct word word = digits_of(number, digits + sizeof(digits));

	if (word.len < width)
		add_blanks(text, width - word.len);
	text_add(text, word.at, word.len);
}
