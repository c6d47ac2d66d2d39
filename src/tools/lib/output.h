/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes to stdout: rows, whole ones only.
 */
#ifndef KNETSTAT_TOOLS_OUTPUT_H
#define KNETSTAT_TOOLS_OUTPUT_H

#include "text.h"

/**
 * struct output - rows to be written
 * @text: the rows
 * @row: where in there the last one begins, which may not be whole
 * @wait: called until it has returned before anything is written; NULL: a
 *	write may block
 * @kept: called before an error ends the program, to write what was kept back;
 *	NULL: there is no such thing
 * @closed: called when nobody reads what we write; NULL: the program ends
 */
struct output {
	struct text text;
	size_t row;
	void (*wait)(void);
	void (*kept)(void);
	void (*closed)(void);
};

extern struct output out;

void output_flush(void);
void output_drop_row(void);
noreturn void output_and_exit(const char *text);

#endif /* KNETSTAT_TOOLS_OUTPUT_H */
