/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the order in which what waits is taken. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <utlist.h>

#include "admission/queue.h"

#define MOST 100

static struct queue_item items[MOST];

static void add(struct queue *queue, unsigned number, uint8_t source)
{
	const uint8_t key[ID_LEN] = {source};

	assert_int_equal(queue_add(queue, &items[number], key), 0);
}

static void expect(struct queue *queue, const int *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(queue_take(queue), &items[numbers[i]]);
	assert_null(queue_take(queue));
	assert_null(queue->by_key);
}

static void sources_take_turns(void **state)
{
	const int order[] = {0, 90, 1, 91, 2, 3};
	struct queue queue = {NULL, NULL};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		add(&queue, i, 1);
	add(&queue, 90, 2);
	add(&queue, 91, 2);
	expect(&queue, order, 6);
}

static void a_newcomer_waits_for_one_of_each(void **state)
{
	const int order[] = {91, 1, 10, 2};
	struct queue queue = {NULL, NULL};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		add(&queue, i, 1);
	add(&queue, 9, 2);
	add(&queue, 10, 2);
	assert_ptr_equal(queue_take(&queue), &items[0]);
	assert_ptr_equal(queue_take(&queue), &items[9]);
	assert_ptr_equal(queue.first, items[1].source);
	add(&queue, 91, 3);
	assert_ptr_equal(queue_take(&queue), &items[1]);
	assert_ptr_equal(queue_take(&queue), &items[10]);
	add(&queue, 1, 1);
	add(&queue, 10, 2);
	assert_ptr_equal(queue_take(&queue), &items[order[0]]);
	assert_ptr_equal(queue_take(&queue), &items[2]);
	assert_ptr_equal(queue_take(&queue), &items[10]);
	assert_ptr_equal(queue_take(&queue), &items[1]);
	assert_null(queue_take(&queue));
}

static bool is_even(const struct queue_item *item, void *arg)
{
	(*(unsigned *)arg)++;
	return (item - items) % 2 == 0;
}

static void some_are_taken_out(void **state)
{
	const int order[] = {1, 3, 5, 7, 9};
	struct queue queue = {NULL, NULL};
	struct queue_item *taken, *item;
	unsigned asked = 0, count = 0;

	(void)state;
	/* The sources of even numbers have no other. */
	for (unsigned i = 0; i < 10; i++)
		add(&queue, i, i % 2 ? 1 : (uint8_t)(2 + i));
	taken = queue_take_all(&queue, is_even, &asked);
	assert_int_equal(asked, 10);
	DL_COUNT(taken, item, count);
	assert_int_equal(count, 5);
	expect(&queue, order, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_take_turns),
		cmocka_unit_test(a_newcomer_waits_for_one_of_each),
		cmocka_unit_test(some_are_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
