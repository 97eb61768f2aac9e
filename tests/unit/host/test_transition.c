/* SPDX-License-Identifier: MPL-2.0 */

/* Transitions of the host happen as a whole or not at all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/instance.h"
#include "config/config.h"
#include "host/host.h"
#include "host/host_state.h"
#include "host_fixture.h"

#define LISTEN "listen = { \"127.0.0.1:0\" }\n"

/* Nothing runs: what was begun was ended, in reverse order. */
static void assert_started_nothing(const char *called)
{
	assert_string_equal(fixture.called, called);
	assert_string_equal(fixture_in_stage(MODULE_FOUND), "a b c ");
}

static void a_start_enters_the_modules_in_order(void **state)
{
	(void)state;
	assert_int_equal(fixture_start("b, a", LISTEN), 0);
	assert_string_equal(fixture.called, "b.init a.init b.start a.start ");
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "a b ");
	assert_string_equal(fixture_in_stage(MODULE_FOUND), "c ");
}

static void a_module_that_fails_to_start_prevents_the_start(void **state)
{
	(void)state;
	fixture.failing = "b.start";
	assert_int_equal(fixture_start("a, b", LISTEN), -1);
	assert_started_nothing("a.init b.init a.start b.start a.stop b.fini "
			       "a.fini ");
	assert_null(instance->host->host.current);
}

static void a_module_that_fails_on_a_worker_prevents_the_start(void **state)
{
	(void)state;
	fixture.failing = "b.worker_start";
	assert_int_equal(fixture_start("a, b", LISTEN), -1);
	assert_started_nothing("a.init b.init a.start b.start b.stop a.stop "
			       "b.fini a.fini ");
}

static void a_module_that_is_not_required_is_left_out(void **state)
{
	(void)state;
	fixture.failing = "b.init";
	assert_int_equal(
		fixture_start("b, a", LISTEN "b {\nrequired = no\n}\n"), 0);
	assert_string_equal(fixture.called, "b.init a.init a.start ");
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "a ");
}

static void a_reload_adds_and_removes_modules(void **state)
{
	(void)state;
	assert_int_equal(fixture_start("a", LISTEN), 0);
	fixture_reload("b", LISTEN);
	assert_string_equal(fixture.called, "b.init b.start a.stop a.fini ");
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "b ");
	fixture_reload("a, b", LISTEN);
	assert_string_equal(
		fixture.called, "a.init a.start b.prepare b.commit ");
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "a b ");
}

/* What must hold after each of the reloads below, which would stop "a", keep
 * "c", start "b" and change an option. */
static void assert_all_as_it_was(const char *called)
{
	assert_string_equal(fixture.called, called);
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "a c ");
	assert_string_equal(fixture_in_stage(MODULE_FOUND), "b ");
	assert_int_equal(host_core()->network_buffer, 65536);
	/* The next one succeeds. */
	fixture.failing = NULL;
	fixture_reload("c, b", LISTEN "network-buffer = 32KiB\n");
	assert_string_equal(fixture.called,
		"b.init b.start c.prepare c.commit a.stop a.fini ");
	assert_string_equal(fixture_in_stage(MODULE_LIVE), "b c ");
	assert_int_equal(host_core()->network_buffer, 32768);
}

static void reload_with(const char *failing)
{
	assert_int_equal(fixture_start("a, c", LISTEN), 0);
	fixture.failing = failing;
	fixture_reload("c, b", LISTEN "network-buffer = 32KiB\n");
}

static void a_new_module_that_fails_prevents_the_reload(void **state)
{
	(void)state;
	reload_with("b.start");
	assert_all_as_it_was("b.init b.start b.fini ");
}

static void a_new_module_that_fails_on_a_worker_prevents_it(void **state)
{
	(void)state;
	reload_with("b.worker_start");
	assert_all_as_it_was("b.init b.start b.stop b.fini ");
}

static void a_kept_module_that_refuses_prevents_it(void **state)
{
	(void)state;
	reload_with("c.prepare");
	assert_all_as_it_was("b.init b.start c.prepare b.stop b.fini ");
}

static void an_essential_module_cannot_leave(void **state)
{
	(void)state;
	assert_int_equal(fixture_start("a, c", LISTEN), 0);
	fixture_reload("a, b", LISTEN);
	assert_all_as_it_was("");
}

static void a_wrong_value_prevents_it(void **state)
{
	(void)state;
	assert_int_equal(fixture_start("a, c", LISTEN), 0);
	fixture_reload("c, b", LISTEN "network-buffer = many\n");
	assert_all_as_it_was("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_end)
		T(a_start_enters_the_modules_in_order),
		T(a_module_that_fails_to_start_prevents_the_start),
		T(a_module_that_fails_on_a_worker_prevents_the_start),
		T(a_module_that_is_not_required_is_left_out),
		T(a_reload_adds_and_removes_modules),
		T(a_new_module_that_fails_prevents_the_reload),
		T(a_new_module_that_fails_on_a_worker_prevents_it),
		T(a_kept_module_that_refuses_prevents_it),
		T(an_essential_module_cannot_leave),
		T(a_wrong_value_prevents_it),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
