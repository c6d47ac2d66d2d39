/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all files of the programs include.
 */
#ifndef KNETSTAT_TOOLS_COMMON_H
#define KNETSTAT_TOOLS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>

typedef unsigned long long u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define BIT(n)		(1U << (n))
#ifndef __always_inline
#define __always_inline	inline __attribute((__always_inline__))
#endif
#define __printf(a, b)	__attribute((__format__(printf, a, b)))

/* Ports are numbers below this. */
#define PORTS		65536

#ifndef KNETSTAT_VERSION
#define KNETSTAT_VERSION "unknown"
#endif

#endif /* KNETSTAT_TOOLS_COMMON_H */
