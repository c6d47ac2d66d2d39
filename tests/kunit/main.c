// SPDX-License-Identifier: GPL-2.0
/*
 * The unit tests of the module's pure code, as a module of their own.
 *
 * Loading it runs them; `run` does that and tells how it went. kbuild does not
 * take one object into two modules, so a test file includes the source that it
 * tests.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "suites.h"

kunit_test_suites(&field_suite, &diag_suite, &options_suite, &row_suite,
		  &ring_suite, &session_suite, &life_suite, &liferow_suite,
		  &ports_suite, &owner_suite, &unix_suite);

MODULE_DESCRIPTION("Unit tests of knetstat");
MODULE_LICENSE("GPL");
