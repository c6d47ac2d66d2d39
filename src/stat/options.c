// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the Options column. See options.h.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include "field.h"
#include "options.h"

struct option_name {
	char text[29];		/* ",NAME=" */
	u8 length;
	u8 form;
};

/* By enum option. */
static const struct option_name names[] = {
#define OPTION_NAME(name, form) \
	{ "," #name "=", sizeof("," #name "=") - 1, FORM_##form },
	OPTION_LIST(OPTION_NAME)
#undef OPTION_NAME
};

static_assert(OPTION_COUNT <= 64, "struct options has one u64 of them");

/* Whole milliseconds, cut downwards as getsockopt cuts microseconds. */
static char *put_msec(char *p, unsigned long ticks)
{
	unsigned long secs = ticks / HZ;
	unsigned int ms = ticks % HZ * MSEC_PER_SEC / HZ;

	/* Apart, because the longest timeout's milliseconds overflow. */
	if (secs) {
		p = field_u64(p, secs);
		*p++ = '0' + ms / 100;
		*p++ = '0' + ms / 10 % 10;
		*p++ = '0' + ms % 10;
	} else {
		p = field_u64(p, ms);
	}
	return field_str(p, "ms");
}

/**
 * options_write_rest() - write the options that are in @opts->set
 * @p: where to write
 * @opts: the options
 *
 * Each comes with a comma before it.
 *
 * Return: the byte after the last character.
 */
char *options_write_rest(char *p, const struct options *opts)
{
	u64 set = opts->set;

	for (; set; set &= set - 1) {
		unsigned int i = __ffs64(set);
		const struct option_name *name = &names[i];
		u64 value = opts->v[i].value;

		memcpy(p, name->text, sizeof(name->text));
		p += name->length;
		switch ((enum option_form)name->form) {
		case FORM_DEC:
			p = field_s64(p, (s64)value);
			break;
		case FORM_UINT:
			p = field_u64(p, value);
			break;
		case FORM_MSEC:
			p = put_msec(p, value);
			break;
		case FORM_SEC:
			p = field_s64(p, (s64)value);
			*p++ = 's';
			break;
		case FORM_TEXT:
			p = field_text(p, opts->v[i].text, OPTION_TEXT_MAX,
				       ',');
			break;
		case FORM_TXTIME:
			p = field_s64(p, (s32)(value >> 32));
			*p++ = ':';
			p = field_u64(p, (u32)value);
			break;
		}
	}
	return p;
}

/**
 * options_write_tcp() - write the Options column of a TCP socket
 * @p: where to write
 * @opts: the options
 *
 * Return: the byte after the last character.
 */
char *options_write_tcp(char *p, const struct options *opts)
{
	static const char always[] = OPTIONS_TCP_ALWAYS;

	/* One copy and four digits: this is on every row. */
	memcpy(p, always, sizeof(always) - 1);
	p[13] += opts->reuse;
	p[28] += opts->reuseport;
	p[43] += opts->keepalive;
	p[57] += opts->nodelay;
	p += sizeof(always) - 1;
	return opts->set ? options_write_rest(p, opts) : p;
}

/**
 * options_write_udp() - write the Options column of a UDP socket
 * @p: where to write
 * @opts: the options
 *
 * Return: the byte after the last character.
 */
char *options_write_udp(char *p, const struct options *opts)
{
	static const char always[] = OPTIONS_UDP_ALWAYS;

	memcpy(p, always, sizeof(always) - 1);
	p[13] += opts->reuse;
	p[28] += opts->reuseport;
	p[43] += opts->broadcast;
	p += sizeof(always) - 1;
	return opts->set ? options_write_rest(p, opts) : p;
}

/**
 * options_defer_secs() - TCP_DEFER_ACCEPT as getsockopt tells it
 * @retransmits: SYN-ACK retransmissions that the kernel keeps instead
 *
 * The sum of that many timeouts, the first of one second (TCP_TIMEOUT_INIT),
 * each twice the one before, none above 120 seconds (TCP_RTO_MAX): the inverse
 * of what tcp(7)'s setsockopt does with seconds.
 *
 * Return: seconds.
 */
unsigned int options_defer_secs(u8 retransmits)
{
	unsigned int timeout = 1, secs = 0;

	while (retransmits--) {
		secs += timeout;
		timeout = min(timeout * 2, 120U);
	}
	return secs;
}
