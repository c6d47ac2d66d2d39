/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the harness, libFuzzer and the program know of each other.
 */
#ifndef KNETSTAT_FUZZ_HARNESS_H
#define KNETSTAT_FUZZ_HARNESS_H

#include <poll.h>
#include <stddef.h>

/* The program's main(), and what it calls instead of poll(). */
int program_main(int argc, char **argv);
int program_poll(struct pollfd *fds, nfds_t count, int timeout);

/* What libFuzzer calls, by its names for them. */
int fuzz_begin(int *argc, char ***argv) __asm__("LLVMFuzzerInitialize");
int fuzz_one(const unsigned char *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

/* libFuzzer's counters: those of the whole program. */
extern unsigned char counters[] __asm__("__start___sancov_cntrs");
extern unsigned char counters_end[] __asm__("__stop___sancov_cntrs");

#endif /* KNETSTAT_FUZZ_HARNESS_H */
