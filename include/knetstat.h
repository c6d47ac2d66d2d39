/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the module includes, and what main.c knows of the wings.
 */
#ifndef KNETSTAT_H
#define KNETSTAT_H

#undef pr_fmt
#define pr_fmt(fmt)	"knetstat: " fmt

/* A folder of src/ each: see src/README.md. */
int stat_init(void);
void stat_exit(void);
int life_init(void);
void life_exit(void);
int owner_init(void);
void owner_exit(void);

#endif /* KNETSTAT_H */
