/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the ids of a worker's objects. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/object_table.h"

static int a, b;

static void an_object_is_found_until_it_is_removed(void **state)
{
	struct object_table table;
	uint64_t id;

	(void)state;
	object_table_init(&table, 0);
	assert_null(object_table_find(&table, 0));
	id = object_table_add(&table, &a);
	assert_true(id != 0);
	assert_ptr_equal(object_table_find(&table, id), &a);
	object_table_remove(&table, id);
	assert_null(object_table_find(&table, id));
	object_table_remove(&table, id);
	assert_int_equal(table.count, 0);
	object_table_finish(&table);
}

static void a_slot_is_used_again_under_another_number(void **state)
{
	struct object_table table;
	uint64_t first, second;

	(void)state;
	object_table_init(&table, 0);
	first = object_table_add(&table, &a);
	object_table_remove(&table, first);
	second = object_table_add(&table, &b);
	assert_true(first != second);
	assert_null(object_table_find(&table, first));
	assert_ptr_equal(object_table_find(&table, second), &b);
	object_table_finish(&table);
}

static void kinds_never_meet(void **state)
{
	struct object_table even, odd;

	(void)state;
	object_table_init(&even, 0);
	object_table_init(&odd, 1);
	for (int i = 0; i < 200; i++) {
		uint64_t id = object_table_add(&even, &a);

		object_table_add(&odd, &b);
		assert_null(object_table_find(&odd, id));
	}
	object_table_finish(&even);
	object_table_finish(&odd);
}

static void count_them(void *object, void *arg)
{
	(void)object;
	++*(int *)arg;
}

static void each_sees_all_that_are_there(void **state)
{
	struct object_table table;
	uint64_t ids[1000];
	int seen = 0;

	(void)state;
	object_table_init(&table, 1);
	for (int i = 0; i < 1000; i++)
		ids[i] = object_table_add(&table, &a);
	for (int i = 0; i < 1000; i += 2)
		object_table_remove(&table, ids[i]);
	object_table_each(&table, count_them, &seen);
	assert_int_equal(seen, 500);
	object_table_finish(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_found_until_it_is_removed),
		cmocka_unit_test(a_slot_is_used_again_under_another_number),
		cmocka_unit_test(kinds_never_meet),
		cmocka_unit_test(each_sees_all_that_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
