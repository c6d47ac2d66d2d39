/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share: what they say on stderr, and text that grows. Who
 * includes this has defined PROGRAM, its name, and defines finish().
 */
#ifndef KNETSTAT_TOOLS_TEXT_H
#define KNETSTAT_TOOLS_TEXT_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>

typedef unsigned long long u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define __printf(a, b)	__attribute((__format__(printf, a, b)))

/**
 * struct text - bytes, as many as come
 * @data: where they are
 * @len: how many
 * @size: how many there is room for
 */
struct text {
	char *data;
	size_t len;
	size_t size;
};

/* How the program ends when it has begun to work. */
static noreturn void finish(int status);

/* One line on stderr, whatever happens to stdout. */
static __printf(1, 2) void say(const char *format, ...)
{
	char line[512], *p;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (p = line; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	fprintf(stderr, PROGRAM ": %s\n", line);
}

/* Before it has begun: nothing was done. @arg is what is wrong, or NULL. */
static noreturn void usage_error(const char *complaint, const char *arg)
{
	if (arg)
		say("%s: '%s'", complaint, arg);
	else
		say("%s", complaint);
	exit(2);
}

static void *more(void *data, size_t count, size_t size)
{
	data = reallocarray(data, count, size);
	if (!data) {
		say("no memory");
		finish(1);
	}
	return data;
}

static char *copy_of(const char *str, size_t len)
{
	char *copy = more(NULL, len + 1, 1);

	memcpy(copy, str, len);
	copy[len] = '\0';
	return copy;
}

static void text_grow(struct text *text, size_t len)
{
	text->size = 2 * text->size + len;
	text->data = more(text->data, text->size, 1);
}

static inline void text_reserve(struct text *text, size_t len)
{
	if (text->size - text->len < len)
		text_grow(text, len);
}

static inline void text_add(struct text *text, const char *data, size_t len)
{
	text_reserve(text, len);
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

/*
 * UTF-8
 */

/*
 * The next character, and how many bytes it has; -1 for what is none, as much
 * of it as Unicode suggests to replace by one substitute (as Python does).
 */
static long next_char(const char *str, size_t len, size_t *used)
{
	const unsigned char *s = (const unsigned char *)str;
	unsigned char low = 0x80, high = 0xbf;
	size_t i, tail;
	long c;

	*used = 1;
	if (s[0] < 0x80)
		return s[0];
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		tail = 1;
		c = s[0] & 0x1f;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		tail = 2;
		c = s[0] & 0x0f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		tail = 3;
		c = s[0] & 0x07;
	} else {
		return -1;
	}
	/* No longer than need be, no surrogates, nothing beyond U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i <= tail; i++) {
		*used = i;
		if (i == len || s[i] < low || s[i] > high)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*used = i;
	return c;
}

/* Whether a terminal shows a character and does nothing else about it. */
static bool printable(long c)
{
	static const struct {
		long first;
		long last;
	} controls[] = {
		{ -1, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};
	size_t i;

	if (c >= ' ' && c <= '~')
		return true;
	for (i = 0; i < ARRAY_SIZE(controls); i++)
		if (c >= controls[i].first && c <= controls[i].last)
			return false;
	return true;
}

/* A JSON string of bytes that need not be UTF-8. */
static void text_add_json(struct text *text, const char *bytes, size_t len)
{
	char escape[32];
	size_t used;
	long c;

	text_add(text, "\"", 1);
	for (; len; bytes += used, len -= used) {
		c = next_char(bytes, len, &used);
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
			text_add(text, escape, strlen(escape));
		else
			text_add(text, bytes, used);
	}
	text_add(text, "\"", 1);
}

#endif /* KNETSTAT_TOOLS_TEXT_H */
