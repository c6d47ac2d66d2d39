/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_KUNIT_SUITES_H
#define KNETSTAT_KUNIT_SUITES_H

#include <kunit/test.h>

extern struct kunit_suite field_suite;
extern struct kunit_suite diag_suite;
extern struct kunit_suite options_suite;
extern struct kunit_suite row_suite;
extern struct kunit_suite ring_suite;
extern struct kunit_suite session_suite;
extern struct kunit_suite life_suite;
extern struct kunit_suite liferow_suite;
extern struct kunit_suite ports_suite;
extern struct kunit_suite owner_suite;
extern struct kunit_suite unix_suite;

#endif /* KNETSTAT_KUNIT_SUITES_H */
