/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A buffer that tells all that a writer did to it.
 *
 *	  before           text           slack             rest
 *	+--------+---------------------+--------------+------------------+
 *	| poison | what was written    | anything     | poison           |
 *	+--------+---------------------+--------------+------------------+
 *	          ^ buffer_clean()      ^ what the     ^ FIELD_SLACK
 *	                                  writer         further
 *	                                  returned
 *
 * A suite's init makes one for each of its tests, which then goes
 *
 *	p = buffer_clean(test);
 *	buffer_expect(test, field_u64(p, v), "%llu", v);
 */
#ifndef KNETSTAT_KUNIT_BUFFER_H
#define KNETSTAT_KUNIT_BUFFER_H

#include <kunit/test.h>
#include <linux/compiler_attributes.h>
#include <linux/types.h>

int buffer_make(struct kunit *test, size_t size);
char *buffer_clean(struct kunit *test);
size_t buffer_used(struct kunit *test);
__printf(3, 4)
void buffer_expect(struct kunit *test, const char *end, const char *format, ...);

#endif /* KNETSTAT_KUNIT_BUFFER_H */
