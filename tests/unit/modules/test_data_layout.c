/* SPDX-License-Identifier: MPL-2.0 */

/* Layouts: one is kept as long as it is the current one or has objects. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/instance.h"
#include "modules/hooks.h"
#include "modules/modules.h"
#include "modules/modules_state.h"

static struct instance rooms;
static struct relay_module mod = {.serial = 1, .def = {.conn_size = 24}};

static const struct layout *make(void)
{
	struct relay_module *const mods[] = {&mod};
	const struct layout *layout = layout_make(mods, 1);

	assert_non_null(layout);
	return layout;
}

static unsigned count(void)
{
	unsigned n = 0;

	for (const struct layout *one = rooms.modules->layouts; one;
		one = one->next)
		n++;
	return n;
}

static void test_unused_ones_are_freed(void **state)
{
	const struct layout *current = make();

	(void)state;
	for (int i = 0; i < 100; i++) {
		current = make();
		layout_free_unused(current);
		assert_int_equal(count(), 1);
	}
	assert_ptr_equal(rooms.modules->layouts, current);
}

static void test_one_with_an_object_stays(void **state)
{
	const struct layout *old = make(), *current;

	(void)state;
	layout_enter(old);
	layout_enter(old);
	current = make();
	layout_free_unused(current);
	assert_int_equal(count(), 2);
	assert_true(layout_has(old, &mod));
	layout_leave(old);
	layout_free_unused(current);
	assert_int_equal(count(), 2);
	layout_leave(old);
	layout_free_unused(current);
	assert_int_equal(count(), 1);
}

static void test_one_that_was_never_in_force_goes(void **state)
{
	const struct layout *current = make();

	(void)state;
	(void)make();
	layout_free_unused(current);
	assert_int_equal(count(), 1);
	assert_ptr_equal(rooms.modules->layouts, current);
}

static int begin(void **state)
{
	(void)state;
	instance = &rooms;
	return modules_create();
}

static int end(void **state)
{
	(void)state;
	layout_free_all();
	free(rooms.modules);
	rooms.modules = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_unused_ones_are_freed, begin, end),
		cmocka_unit_test_setup_teardown(
			test_one_with_an_object_stays, begin, end),
		cmocka_unit_test_setup_teardown(
			test_one_that_was_never_in_force_goes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
