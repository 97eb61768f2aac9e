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
	object_table_init(&table, 0, 3);
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
	object_table_init(&table, 0, 3);
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
	object_table_init(&even, 0, 3);
	object_table_init(&odd, 1, 3);
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
	object_table_init(&table, 1, 3);
	for (int i = 0; i < 1000; i++)
		ids[i] = object_table_add(&table, &a);
	for (int i = 0; i < 1000; i += 2)
		object_table_remove(&table, ids[i]);
	object_table_each(&table, count_them, &seen);
	assert_int_equal(seen, 500);
	object_table_finish(&table);
}

/* Three tables, as of three workers. */
static struct object_table tables[3];

static uint64_t begin(void)
{
	for (uint32_t i = 0; i < 3; i++)
		object_table_init(&tables[i], 1, i);
	return object_table_add(&tables[0], &a);
}

static void finish(void)
{
	for (uint32_t i = 0; i < 3; i++)
		object_table_finish(&tables[i]);
}

static void move(uint64_t id, uint32_t from, uint32_t to, uint32_t moves)
{
	object_table_leave(&tables[from], id, to, moves);
	assert_int_equal(object_table_enter(&tables[to], id, &a), 0);
}

/* Follows what the tables say. */
static int find_from(uint32_t at, uint64_t id)
{
	for (int hops = 0; hops < 4; hops++) {
		int next;

		if (object_table_find(&tables[at], id))
			return (int)at;
		next = object_table_next(&tables[at], id);
		if (next < 0)
			return -1;
		at = (uint32_t)next;
	}
	return -2;
}

static void tables_give_different_ids(void **state)
{
	uint64_t id = begin();

	(void)state;
	assert_true(id != object_table_add(&tables[1], &b));
	assert_int_equal(object_table_home(id), 0);
	assert_null(object_table_find(&tables[1], id));
	finish();
}

static void who_moves_is_found_from_everywhere(void **state)
{
	uint64_t id = begin();
	int seen = 0;

	(void)state;
	move(id, 0, 1, 1);
	assert_int_equal(tables[0].count, 0);
	assert_int_equal(tables[1].count, 1);
	object_table_each(&tables[0], count_them, &seen);
	assert_int_equal(seen, 0);
	object_table_each(&tables[1], count_them, &seen);
	assert_int_equal(seen, 1);
	move(id, 1, 2, 2);
	/* Until home knows, it leads to where the object was, and back. */
	assert_int_equal(find_from(0, id), -2);
	object_table_moved(&tables[0], id, 2, 2);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(find_from(i, id), 2);
	move(id, 2, 0, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(find_from(i, id), 0);
	object_table_remove(&tables[0], id);
	assert_int_equal(find_from(1, id), -1);
	finish();
}

static void late_news_change_nothing(void **state)
{
	uint64_t id = begin();

	(void)state;
	move(id, 0, 1, 1);
	move(id, 1, 2, 2);
	move(id, 2, 1, 3);
	object_table_moved(&tables[0], id, 1, 3);
	object_table_moved(&tables[0], id, 2, 2);
	assert_int_equal(find_from(0, id), 1);
	move(id, 1, 0, 4);
	object_table_moved(&tables[0], id, 1, 3);
	assert_int_equal(find_from(0, id), 0);
	finish();
}

static void an_end_elsewhere_frees_the_slot(void **state)
{
	uint64_t id = begin(), next;

	(void)state;
	move(id, 0, 2, 1);
	/* Not before home was told. */
	next = object_table_add(&tables[0], &b);
	assert_true((uint32_t)next != (uint32_t)id);
	object_table_remove(&tables[2], id);
	object_table_ended(&tables[0], id);
	object_table_moved(&tables[0], id, 1, 2);
	assert_int_equal(find_from(2, id), -1);
	next = object_table_add(&tables[0], &b);
	assert_int_equal((uint32_t)next, (uint32_t)id);
	assert_true(next != id);
	object_table_ended(&tables[0], id);
	assert_ptr_equal(object_table_find(&tables[0], next), &b);
	finish();
}

/* Many come and go: those that stay are found, the others are not. */
static void guests_come_and_go(void **state)
{
	enum { MANY = 500 };
	uint64_t ids[MANY];
	uint32_t size = 0;

	(void)state;
	(void)begin();
	for (int i = 0; i < MANY; i++)
		ids[i] = object_table_add(&tables[1], &a);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < MANY; i++)
			assert_int_equal(
				object_table_enter(&tables[0], ids[i], &a), 0);
		for (int i = 0; i < MANY; i++)
			if (i % 7 != round % 7)
				object_table_remove(&tables[0], ids[i]);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(
				object_table_find(&tables[0], ids[i]) != NULL,
				i % 7 == round % 7);
		for (int i = 0; i < MANY; i++)
			object_table_remove(&tables[0], ids[i]);
		if (round == 1)
			size = tables[0].guests.size;
	}
	assert_int_equal(tables[0].count, 1);
	assert_int_equal(tables[0].guests.size, size);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_found_until_it_is_removed),
		cmocka_unit_test(a_slot_is_used_again_under_another_number),
		cmocka_unit_test(kinds_never_meet),
		cmocka_unit_test(each_sees_all_that_are_there),
		cmocka_unit_test(tables_give_different_ids),
		cmocka_unit_test(who_moves_is_found_from_everywhere),
		cmocka_unit_test(late_news_change_nothing),
		cmocka_unit_test(an_end_elsewhere_frees_the_slot),
		cmocka_unit_test(guests_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
