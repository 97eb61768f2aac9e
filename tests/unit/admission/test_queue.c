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

#define MOST  1000
#define SHARE 500 /* more than any source gets */

static struct queue_item items[MOST];

static enum queue_room try_to_add(struct queue *queue, unsigned number,
	uint8_t source, unsigned free, unsigned share,
	struct queue_item **victim)
{
	const struct queue_key key = {{source}};

	return queue_add(queue, &items[number], &key, free, share, victim);
}

static void add(struct queue *queue, unsigned number, uint8_t source)
{
	struct queue_item *victim;

	assert_int_equal(try_to_add(queue, number, source, 1, SHARE, &victim),
		QUEUE_ROOM);
	assert_null(victim);
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
	struct queue queue = {NULL};

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
	struct queue queue = {NULL};

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
	struct queue queue = {NULL};
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

static void those_of_one_source_are_taken_out(void **state)
{
	const int order[] = {1, 3};
	struct queue queue = {NULL};
	const struct queue_key second = {{2}}, none = {{9}};
	struct queue_item *taken;
	unsigned asked = 0;

	(void)state;
	add(&queue, 0, 1);
	add(&queue, 2, 2);
	add(&queue, 1, 2);
	add(&queue, 3, 1);
	assert_null(queue_take_of(&queue, &none, is_even, &asked));
	assert_int_equal(asked, 0);
	taken = queue_take_of(&queue, &second, is_even, &asked);
	assert_int_equal(asked, 2);
	assert_ptr_equal(taken, &items[2]);
	assert_null(taken->next);
	assert_ptr_equal(queue_take(&queue), &items[0]);
	expect(&queue, order, 2);
}

static void a_source_has_a_share(void **state)
{
	const int order[] = {0, 20, 1, 21, 2, 22, 23};
	struct queue queue = {NULL};
	struct queue_item *victim;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			try_to_add(&queue, i, 1, 9, 3, &victim), QUEUE_ROOM);
	assert_int_equal(
		try_to_add(&queue, 3, 1, 9, 3, &victim), QUEUE_SOURCE_FULL);
	assert_null(items[3].source);
	/* Source 0 is exempt. */
	for (unsigned i = 20; i < 24; i++)
		assert_int_equal(
			try_to_add(&queue, i, 0, 9, 3, &victim), QUEUE_ROOM);
	expect(&queue, order, 7);
	for (unsigned i = 0; i < QUEUE_PER_SOURCE; i++)
		add(&queue, i, 1);
	assert_int_equal(
		try_to_add(&queue, QUEUE_PER_SOURCE, 1, 9, SHARE, &victim),
		QUEUE_SOURCE_FULL);
	while (queue_take(&queue))
		;
}

static void who_has_most_gives_way(void **state)
{
	const int order[] = {0, 10, 20, 30, 1, 11};
	struct queue queue = {NULL};
	struct queue_item *victim;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		add(&queue, i, 1);
	for (unsigned i = 10; i < 12; i++)
		add(&queue, i, 2);
	add(&queue, 20, 3);
	assert_int_equal(
		try_to_add(&queue, 30, 4, 0, SHARE, &victim), QUEUE_MADE_ROOM);
	assert_ptr_equal(victim, &items[2]);
	assert_null(items[2].source);
	/* Nobody has more than this one would have. */
	assert_int_equal(
		try_to_add(&queue, 21, 3, 0, SHARE, &victim), QUEUE_FULL);
	assert_null(victim);
	expect(&queue, order, 6);
}

static void the_exempt_keep_theirs(void **state)
{
	const int order[] = {0, 1, 2};
	struct queue queue = {NULL};
	struct queue_item *victim;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		add(&queue, i, 0);
	assert_int_equal(
		try_to_add(&queue, 9, 1, 0, SHARE, &victim), QUEUE_FULL);
	expect(&queue, order, 3);
}

static void what_is_given_back_waits_for_its_turn(void **state)
{
	const struct queue_key key = {{1}};
	const int order[] = {9, 1, 0};
	struct queue queue = {NULL};

	(void)state;
	add(&queue, 0, 1);
	add(&queue, 9, 2);
	add(&queue, 1, 1);
	assert_ptr_equal(queue_take(&queue), &items[0]);
	assert_int_equal(queue_return(&queue, &items[0], &key), 0);
	expect(&queue, order, 3);
	/* Also above its share. */
	for (unsigned i = 0; i < QUEUE_PER_SOURCE; i++)
		add(&queue, i, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			queue_return(&queue, &items[900 + i], &key), 0);
	for (unsigned i = 0; i < QUEUE_PER_SOURCE + 3; i++)
		assert_non_null(queue_take(&queue));
	assert_null(queue_take(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_take_turns),
		cmocka_unit_test(a_newcomer_waits_for_one_of_each),
		cmocka_unit_test(some_are_taken_out),
		cmocka_unit_test(those_of_one_source_are_taken_out),
		cmocka_unit_test(a_source_has_a_share),
		cmocka_unit_test(who_has_most_gives_way),
		cmocka_unit_test(the_exempt_keep_theirs),
		cmocka_unit_test(what_is_given_back_waits_for_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
