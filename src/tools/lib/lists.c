// SPDX-License-Identifier: GPL-2.0
/*
 * What options are given. See lists.h.
 */
#include <string.h>

#include "lists.h"
#include "say.h"

/**
 * list_next() - cut the next word off a list that is separated by commas
 * @list: the list; NULL after the last word
 * @word: the word, which may be empty
 *
 * Return: whether there was one.
 */
bool list_next(const char **list, struct word *word)
{
	if (!*list)
		return false;
	*word = (struct word){ *list, strcspn(*list, ",") };
	*list = (*list)[word->len] ? *list + word->len + 1 : NULL;
	return true;
}

/**
 * parse_number() - read a whole number
 * @word: nothing but its digits
 * @max: the largest there may be
 * @number: the number
 *
 * Return: whether it is one.
 */
bool parse_number(struct word word, u64 max, u64 *number)
{
	u64 n = 0;
	size_t i;

	for (i = 0; i < word.len; i++) {
		unsigned int digit = word.at[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*number = n;
	return word.len && n <= max;
}

/**
 * positive_number() - read a number that must not be 0
 * @arg: what an option was given
 * @max: the largest there may be
 * @complaint: what to say of any other
 *
 * Return: the number.
 */
u64 positive_number(const char *arg, u64 max, const char *complaint)
{
	u64 number;

	if (!parse_number(word_of(arg), max, &number) || !number)
		usage_error(complaint, arg);
	return number;
}

static bool parse_range(struct word word, u64 *first, u64 *last)
{
	const char *dash = memchr(word.at, '-', word.len);
	struct word low = word, high = word;

	if (dash) {
		low.len = dash - word.at;
		high.at = dash + 1;
		high.len = word.len - low.len - 1;
	}
	return parse_number(low, PORTS - 1, first) && *first &&
	       parse_number(high, PORTS - 1, last) && *first <= *last;
}

/**
 * parse_ports() - read a list of ports and ranges of them
 * @arg: what an option was given
 *
 * Return: for each port whether it is one of them.
 */
bool *parse_ports(const char *arg)
{
	bool *ports = more(NULL, PORTS, sizeof(*ports));
	const char *list = arg;
	struct word word;
	u64 first, last;

	memset(ports, 0, PORTS * sizeof(*ports));
	while (list_next(&list, &word)) {
		if (!parse_range(word, &first, &last))
			usage_error("bad list of ports (each is 1 to 65535, or a range)",
				    arg);
		memset(ports + first, true, last - first + 1);
	}
	return ports;
}
