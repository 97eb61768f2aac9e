/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the reports of options whose module does not run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "config_fixture.h"
#include "sample_options.h"

static void warns_of_flags_without_effect(void **state)
{
	struct fixture *f = *state;

	FLAGS(f, "-nat", "-nat-lease=30", "-log.level=debug");
	assert_told(f, "modules = { relay, status }\n",
		"warning: -log.level has no effect: the module log does not "
		"run; add log to `modules` (a.conf:1)\n"
		"warning: -nat, -nat-lease have no effect: the module nat does "
		"not run; add nat to `modules` (a.conf:1)\n");
	FLAGS(f, "-nat=false");
	(void)load_good(f, "\n");
}

static void warns_of_sections_without_effect(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "modules = { relay }\nlog { level = debug }\n",
		"warning: a.conf:2: section log has no effect: the module log "
		"does not run; add log to `modules` (a.conf:1)\n");
	assert_told(f, "modules = { relay }\nnat { enable = no }\n", "");
}

static void refuses_guards_without_effect(void **state)
{
	struct fixture *f = *state;

	assert_null(load(f, "modules = { log }\nrelay { token = \"s\" }\n"));
	assert_string_equal(f->told,
		"error: a.conf:2: relay.token is to protect the relay, but the "
		"module relay does not run; add relay to `modules` (a.conf:1), "
		"or leave the option out\n");
	assert_told(f, "modules = { log }\nrelay { token = \"\" }\n", "");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(warns_of_flags_without_effect),
		TEST(warns_of_sections_without_effect),
		TEST(refuses_guards_without_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
