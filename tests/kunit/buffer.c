// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer that tells all that a writer did to it. See buffer.h.
 */
#include <linux/string.h>

#include "buffer.h"
#include "field.h"

/* No writer stores this byte: it is in no text, and texts are escaped. */
#define POISON	0xa5
/* Watched on either side of what may be written. */
#define MARGIN	64

/**
 * struct buffer - the buffer of one test, its test->priv
 * @size: how much may be written
 * @text: where it is written; MARGIN bytes of poison are before and after it
 * @got: what was written, as a string
 * @want: what was to be written
 */
struct buffer {
	size_t size;
	char *text;
	char *got;
	char *want;
};

/**
 * buffer_make() - make the buffer of a test
 * @test: the test; it frees the buffer when it is over
 * @size: the longest text that will be expected, and its slack
 *
 * Return: 0, or -ENOMEM: what a suite's init returns.
 */
int buffer_make(struct kunit *test, size_t size)
{
	struct buffer *buffer = kunit_kzalloc(test, sizeof(*buffer), GFP_KERNEL);
	char *text = kunit_kmalloc(test, size + 2 * MARGIN, GFP_KERNEL);

	if (!buffer || !text)
		return -ENOMEM;
	buffer->size = size;
	buffer->text = text + MARGIN;
	buffer->got = kunit_kmalloc(test, size + 1, GFP_KERNEL);
	buffer->want = kunit_kmalloc(test, size + 1, GFP_KERNEL);
	if (!buffer->got || !buffer->want)
		return -ENOMEM;
	test->priv = buffer;
	return 0;
}

/**
 * buffer_clean() - poison the buffer
 * @test: the test
 *
 * Return: where to write.
 */
char *buffer_clean(struct kunit *test)
{
	struct buffer *buffer = test->priv;

	memset(buffer->text - MARGIN, POISON, buffer->size + 2 * MARGIN);
	return buffer->text;
}

/**
 * buffer_used() - how far a writer went, slack and all
 * @test: the test
 *
 * Return: the bytes from where buffer_clean() said to write, to the last one
 * that was touched.
 */
size_t buffer_used(struct kunit *test)
{
	struct buffer *buffer = test->priv;
	size_t used = buffer->size + MARGIN;

	while (used && (u8)buffer->text[used - 1] == POISON)
		used--;
	return used;
}

/**
 * buffer_expect() - expect a text in the buffer, and nothing else
 * @test: the test; it ends here if the buffer holds anything else
 * @end: what the writer returned
 * @format: what it should have written, as printf would
 *
 * Up to FIELD_SLACK bytes past @end may hold anything. Nothing may have been
 * written beyond those, nor before the text.
 */
void buffer_expect(struct kunit *test, const char *end, const char *format, ...)
{
	struct buffer *buffer = test->priv;
	const char *text = buffer->text;
	long got = end - text;
	int want;
	va_list args;

	va_start(args, format);
	want = vsnprintf(buffer->want, buffer->size + 1, format, args);
	va_end(args);
	KUNIT_ASSERT_LE(test, want + FIELD_SLACK, buffer->size);

	KUNIT_ASSERT_GE(test, got, 0);
	KUNIT_ASSERT_LE(test, got, buffer->size);
	memcpy(buffer->got, text, got);
	buffer->got[got] = '\0';
	KUNIT_ASSERT_STREQ(test, buffer->got, buffer->want);
	KUNIT_ASSERT_EQ(test, got, want);

	KUNIT_ASSERT_NULL_MSG(test, memchr_inv(text - MARGIN, POISON, MARGIN),
			      "\"%s\": wrote before it", buffer->want);
	KUNIT_ASSERT_LE_MSG(test, buffer_used(test), want + FIELD_SLACK,
			    "\"%s\": wrote too far past it", buffer->want);
}
