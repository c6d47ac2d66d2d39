// SPDX-License-Identifier: GPL-2.0
/*
 * Text that somebody else has written. See utf8.h.
 */
#include "utf8.h"

/**
 * next_char() - the next character of a text
 * @str: the text
 * @len: its bytes, at least one
 * @used: set to how many of them are the character
 *
 * Return: the character; -1 for what is none, as much of it as Unicode suggests
 * to replace by one substitute (as Python does).
 */
long next_char(const char *str, size_t len, size_t *used)
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

/**
 * printable() - whether a terminal shows a character and does nothing else
 * @c: what next_char() returned
 *
 * Return: whether it does.
 */
bool printable(long c)
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

/**
 * text_add_chars() - add characters; what is not printable as '?'
 * @text: the text
 * @word: where they are
 * @max: at most so many
 *
 * Return: how many were added.
 */
size_t text_add_chars(struct text *text, struct word word, size_t max)
{
	size_t used, chars = 0;

	/* As a rule it is all ASCII. */
	while (chars < word.len && chars < max && word.at[chars] >= ' ' &&
	       word.at[chars] <= '~')
		chars++;
	text_add(text, word.at, chars);
	word.at += chars;
	word.len -= chars;
	for (; word.len && chars < max; chars++) {
		if (printable(next_char(word.at, word.len, &used)))
			text_add(text, word.at, used);
		else
			text_add(text, "?", 1);
		word.at += used;
		word.len -= used;
	}
	return chars;
}
