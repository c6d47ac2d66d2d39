/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that grows.
 */
#ifndef KNETSTAT_TOOLS_TEXT_H
#define KNETSTAT_TOOLS_TEXT_H

#include <string.h>

#include "common.h"

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

/**
 * struct word - some bytes that are kept elsewhere
 * @at: the first one
 * @len: how many
 */
struct word {
	const char *at;
	size_t len;
};

/* What may be read behind a word, and written behind a text: copied at once. */
#define SLACK	32

void *more(void *data, size_t count, size_t size);
char *copy_of(const char *str, size_t len);
__printf(1, 2) char *formatted(const char *format, ...);
void text_grow(struct text *text, size_t len);
__printf(2, 3) void text_addf(struct text *text, const char *format, ...);
void text_add_escaped(struct text *text, struct word word, char also);
void text_add_number(struct text *text, u64 number);
void text_add_column(struct text *text, struct word word, size_t width);
void text_add_number_right(struct text *text, u64 number, size_t width);

/**
 * text_reserve() - make room
 * @text: the text
 * @len: for so many more bytes
 */
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

static inline void text_add_str(struct text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

/**
 * text_add_word() - add a word that has SLACK behind it, as fields of a row have
 * @text: the text
 * @word: the word; short as a rule
 */
static inline void text_add_word(struct text *text, struct word word)
{
	text_reserve(text, word.len + SLACK);
	if (word.len <= SLACK)
		memcpy(text->data + text->len, word.at, SLACK);
	else
		memcpy(text->data + text->len, word.at, word.len);
	text->len += word.len;
}

static inline struct word word_of(const char *str)
{
	return (struct word){ str, strlen(str) };
}

static inline bool word_is(struct word word, const char *str)
{
	return word.len == strlen(str) && !memcmp(word.at, str, word.len);
}

#endif /* KNETSTAT_TOOLS_TEXT_H */
