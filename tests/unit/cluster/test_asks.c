/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of asks for devices elsewhere: each is settled once and in time, and
 * one source does not push out others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/asks/asks.h"

#define RANDOM  0x123456789abcdef0
#define TICKETS (2 * ASKS_MOST)

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);

/* The allocation that fails, from 1; 0: none. */
static int failing;

static bool fails(void)
{
	return failing > 0 && --failing == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

struct scene {
	struct asks *asks;
	int64_t now_ms;
	bool away;      /* find() cannot ask */
	bool held;      /* what is ours is held elsewhere */
	unsigned finds; /* so far */
	uint64_t found; /* the number of the last one */
	unsigned settled;
	unsigned settled_of[TICKETS]; /* by the number of the ticket */
	/* Of the last one. */
	enum asks_end end;
	uint64_t ticket;
	int64_t took_ms;
	uint8_t key; /* 0: no answer */
};

static int on_find(void *arg, uint64_t number, const struct message_ask *ask)
{
	struct scene *scene = arg;

	assert_int_equal(ask->number, number);
	if (scene->away)
		return -1;
	scene->finds++;
	scene->found = number;
	return 0;
}

static bool on_ours(void *arg, const struct message_ask *ask)
{
	struct scene *scene = arg;

	assert_int_equal(ask->number, scene->found);
	return scene->held;
}

static void on_settle(void *arg, const struct relay_ticket *ticket,
	enum asks_end end, const struct message_ask *ask,
	const struct message_answer *answer, int64_t took_ms)
{
	struct scene *scene = arg;

	assert_int_equal(answer != NULL, end == ASKS_MET);
	assert_int_equal(ask->target[0], 0xa2);
	scene->settled++;
	scene->settled_of[ticket->number]++;
	scene->end = end;
	scene->ticket = ticket->number;
	scene->took_ms = took_ms;
	scene->key = answer ? answer->key[0][0] : 0;
}

static const struct asks_calls calls = {on_find, on_ours, on_settle};

static int set_up(void **state)
{
	struct scene *scene = __real_calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->now_ms = 1000000;
	scene->asks = asks_new(&calls, scene, RANDOM);
	assert_non_null(scene->asks);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	asks_free(scene->asks);
	free(scene);
	return 0;
}

/* Of an asker at 192.0.x.y. */
static uint64_t begin_at(struct scene *scene, uint64_t ticket, unsigned xy)
{
	const struct relay_ticket t = {1, ticket};
	struct message_ask ask = {.target = {0xa2}, .from = {{192, 0}, 4, 0}};

	ask.from.address[2] = (uint8_t)(xy >> 8);
	ask.from.address[3] = (uint8_t)xy;
	asks_begin(scene->asks, &t, &ask, scene->now_ms);
	return scene->found;
}

static uint64_t begin(struct scene *scene, uint64_t ticket)
{
	return begin_at(scene, ticket, 1);
}

static void found(struct scene *scene, uint64_t number, enum find_end end)
{
	asks_found(scene->asks, number, end, scene->now_ms);
}

static bool answered(struct scene *scene, uint64_t number, enum answer_end end)
{
	const struct message_answer answer = {
		.number = number, .end = end, .key = {{0xb1}}};

	return asks_answered(scene->asks, &answer, scene->now_ms);
}

static int64_t later(struct scene *scene, int64_t ms)
{
	int64_t next_ms;

	scene->now_ms += ms;
	next_ms = asks_tick(scene->asks, scene->now_ms);
	assert_true(next_ms >= 1);
	return next_ms;
}

static void check_settled(
	struct scene *scene, unsigned count, enum asks_end end, int64_t took_ms)
{
	assert_int_equal(scene->settled, count);
	assert_int_equal(scene->end, end);
	assert_int_equal(scene->took_ms, took_ms);
}

static void an_answer_settles(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 5);

	found(scene, number, FIND_SENT);
	assert_int_equal(scene->settled, 0);
	assert_int_equal(asks_count(scene->asks), 1);
	scene->now_ms += 7;
	assert_true(answered(scene, number, ANSWER_INVITED));
	check_settled(scene, 1, ASKS_MET, 7);
	assert_int_equal(scene->ticket, 5);
	assert_int_equal(scene->key, 0xb1);
	assert_int_equal(asks_count(scene->asks), 0);
}

static void each_answer_has_an_end(void **state)
{
	static const enum asks_end want[ANSWER_ENDS] = {
		ASKS_MET, ASKS_LEFT, ASKS_REFUSED, ASKS_FAILED, ASKS_FAILED};
	struct scene *scene = *state;

	for (unsigned end = 0; end < ANSWER_ENDS; end++) {
		uint64_t number = begin(scene, end);

		assert_true(answered(scene, number, (enum answer_end)end));
		check_settled(scene, end + 1, want[end], 0);
	}
}

static void a_second_answer_is_none(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	assert_true(answered(scene, number, ANSWER_INVITED));
	assert_false(answered(scene, number, ANSWER_INVITED));
	found(scene, number, FIND_NOBODY);
	(void)later(scene, ASKS_LIMIT_MS);
	assert_int_equal(scene->settled, 1);
}

static void the_answer_may_come_before_the_registry_says_that_it_is_sent(
	void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	assert_true(answered(scene, number, ANSWER_ABSENT));
	found(scene, number, FIND_SENT);
	check_settled(scene, 1, ASKS_LEFT, 0);
}

static void unknown_numbers_are_none(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	/* Of a process that has begun with 0. */
	assert_false(answered(scene, 0, ANSWER_INVITED));
	assert_false(answered(scene, 1, ANSWER_INVITED));
	assert_false(answered(scene, number + 1, ANSWER_INVITED));
	assert_int_equal(number, RANDOM + 1);
	assert_int_equal(begin(scene, 2), RANDOM + 2);
	assert_int_equal(scene->settled, 0);
}

static void the_registry_settles_what_nobody_has(void **state)
{
	struct scene *scene = *state;

	found(scene, begin(scene, 1), FIND_NOBODY);
	check_settled(scene, 1, ASKS_NOBODY, 0);
	found(scene, begin(scene, 2), FIND_OURS);
	check_settled(scene, 2, ASKS_NOBODY, 0);
	found(scene, begin(scene, 3), FIND_UNKNOWN);
	check_settled(scene, 3, ASKS_AWAY, 0);
}

/* It is not found a second time, since it is under way. */
static void what_is_ours_may_be_held_elsewhere(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	scene->held = true;
	found(scene, number, FIND_OURS);
	assert_int_equal(scene->settled, 0);
	scene->now_ms += ASKS_AGAIN_MS;
	(void)asks_tick(scene->asks, scene->now_ms);
	assert_int_equal(scene->finds, 1);
	assert_true(answered(scene, number, ANSWER_INVITED));
	check_settled(scene, 1, ASKS_MET, ASKS_AGAIN_MS);
	found(scene, begin(scene, 2), FIND_OURS);
	scene->now_ms += ASKS_LIMIT_MS;
	(void)asks_tick(scene->asks, scene->now_ms);
	check_settled(scene, 2, ASKS_LATE, ASKS_LIMIT_MS);
}

static void a_registry_that_is_away(void **state)
{
	struct scene *scene = *state;

	scene->away = true;
	begin(scene, 1);
	check_settled(scene, 1, ASKS_AWAY, 0);
	assert_int_equal(asks_count(scene->asks), 0);
}

static void a_lost_message_is_sent_once_more(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	found(scene, number, FIND_SENT);
	assert_int_equal(later(scene, ASKS_AGAIN_MS - 1), 1);
	assert_int_equal(scene->finds, 1);
	assert_int_equal(later(scene, 1), ASKS_LIMIT_MS - ASKS_AGAIN_MS);
	assert_int_equal(scene->finds, 2);
	assert_int_equal(scene->found, number);
	found(scene, number, FIND_SENT);
	assert_int_equal(later(scene, ASKS_LIMIT_MS - ASKS_AGAIN_MS - 1), 1);
	assert_int_equal(scene->finds, 2);
	assert_int_equal(scene->settled, 0);
	assert_true(answered(scene, number, ANSWER_INVITED));
	check_settled(scene, 1, ASKS_MET, ASKS_LIMIT_MS - 1);
}

static void what_is_late_is_settled(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	found(scene, number, FIND_SENT);
	(void)later(scene, ASKS_AGAIN_MS);
	assert_int_equal(
		later(scene, ASKS_LIMIT_MS - ASKS_AGAIN_MS), ASKS_IDLE_MS);
	check_settled(scene, 1, ASKS_LATE, ASKS_LIMIT_MS);
	assert_false(answered(scene, number, ANSWER_INVITED));
	assert_int_equal(scene->settled, 1);
}

/* A second one would only wait behind the first. */
static void a_slow_registry_is_not_asked_twice(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	(void)later(scene, ASKS_AGAIN_MS + 10);
	assert_int_equal(scene->finds, 1);
	found(scene, number, FIND_SENT);
	assert_int_equal(scene->finds, 2);
	found(scene, number, FIND_SENT);
	(void)later(scene, 10);
	assert_int_equal(scene->finds, 2);
	number = begin(scene, 2);
	(void)later(scene, ASKS_LIMIT_MS);
	assert_int_equal(scene->finds, 3);
	check_settled(scene, 2, ASKS_LATE, ASKS_LIMIT_MS);
}

/* What the second find says counts only if it says something. */
static void the_second_find_may_fail(void **state)
{
	struct scene *scene = *state;
	uint64_t number[3];

	for (unsigned i = 0; i < 3; i++) {
		number[i] = begin(scene, i);
		found(scene, number[i], FIND_SENT);
	}
	(void)later(scene, ASKS_AGAIN_MS);
	found(scene, number[0], FIND_UNKNOWN);
	assert_int_equal(scene->settled, 0);
	found(scene, number[1], FIND_NOBODY);
	check_settled(scene, 1, ASKS_NOBODY, ASKS_AGAIN_MS);
	assert_true(answered(scene, number[0], ANSWER_INVITED));
	check_settled(scene, 2, ASKS_MET, ASKS_AGAIN_MS);
}

static void the_second_find_may_not_be_possible(void **state)
{
	struct scene *scene = *state;
	uint64_t number = begin(scene, 1);

	found(scene, number, FIND_SENT);
	scene->away = true;
	(void)later(scene, ASKS_AGAIN_MS);
	assert_int_equal(scene->settled, 0);
	scene->away = false;
	found(scene, number, FIND_SENT);
	(void)later(scene, 1);
	assert_int_equal(scene->finds, 1);
	assert_true(answered(scene, number, ANSWER_INVITED));
}

static void asks_end_in_the_order_of_their_deadlines(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 0; i < 100; i++) {
		found(scene, begin(scene, i), FIND_SENT);
		(void)later(scene, 3);
	}
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(scene->settled, i);
		(void)later(scene, ASKS_LIMIT_MS - 300 + 3 * (int64_t)i -
					   (scene->now_ms - 1000300));
		assert_int_equal(scene->ticket, i);
	}
	assert_int_equal(scene->finds, 200);
	assert_int_equal(asks_count(scene->asks), 0);
}

/* The loop did not run for a while. */
static void a_late_tick_settles_and_sends_nothing(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 0; i < 100; i++)
		found(scene, begin(scene, i), FIND_SENT);
	assert_int_equal(later(scene, 3 * ASKS_LIMIT_MS), ASKS_IDLE_MS);
	assert_int_equal(scene->settled, 100);
	assert_int_equal(scene->finds, 100);
}

static void one_source_has_a_quarter(void **state)
{
	struct scene *scene = *state;
	uint64_t ticket = 0, first = begin(scene, ticket++);

	while (ticket < ASKS_PER_SOURCE)
		(void)begin(scene, ticket++);
	assert_int_equal(scene->settled, 0);
	(void)begin(scene, ticket);
	check_settled(scene, 1, ASKS_FULL, 0);
	assert_int_equal(scene->ticket, ticket);
	(void)begin_at(scene, ticket + 1, 2);
	assert_int_equal(scene->settled, 1);
	/* One that ends makes room for one. */
	assert_true(answered(scene, first, ANSWER_ABSENT));
	(void)begin(scene, ticket + 2);
	assert_int_equal(scene->settled, 2);
	(void)begin(scene, ticket + 3);
	check_settled(scene, 3, ASKS_FULL, 0);
}

static void all_together_have_a_bound(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < ASKS_MOST; i++)
		(void)begin_at(scene, i, i);
	assert_int_equal(scene->settled, 0);
	(void)begin_at(scene, ASKS_MOST, 60000);
	check_settled(scene, 1, ASKS_FULL, 0);
	assert_int_equal(asks_count(scene->asks), ASKS_MOST);
	(void)later(scene, ASKS_LIMIT_MS);
	assert_int_equal(asks_count(scene->asks), 0);
	for (unsigned i = 0; i <= ASKS_MOST; i++)
		assert_int_equal(scene->settled_of[i], 1);
}

static void begin_from(struct scene *scene, struct message_place from)
{
	const struct relay_ticket ticket = {1, 1};
	const struct message_ask ask = {.target = {0xa2}, .from = from};

	asks_begin(scene->asks, &ticket, &ask, scene->now_ms);
}

/* A /48 of IPv6 is one source; no address is another one. */
static void sources_are_networks(void **state)
{
	struct scene *scene = *state;
	struct message_place six = {{0x20, 1, 0xd, 0xb8}, 16, 0};

	for (unsigned i = 0; i < ASKS_PER_SOURCE; i++) {
		six.address[6] = (uint8_t)i;
		six.address[15] = (uint8_t)(i >> 8);
		begin_from(scene, six);
		begin_from(scene, (struct message_place){.len = 0});
	}
	assert_int_equal(scene->settled, 0);
	six.address[9] = 1;
	begin_from(scene, six);
	assert_int_equal(scene->settled, 1);
	begin_from(scene, (struct message_place){.len = 0});
	assert_int_equal(scene->settled, 2);
	/* Its bytes are those of the network. */
	begin_from(scene, (struct message_place){{0x20, 1, 0xd, 0xb8}, 4, 0});
	six.address[5]++;
	begin_from(scene, six);
	assert_int_equal(scene->settled, 2);
}

static void those_that_are_left_are_settled_in_the_end(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 0; i < 10; i++) {
		found(scene, begin(scene, i), FIND_SENT);
		if (i == 4)
			(void)later(scene, ASKS_AGAIN_MS);
	}
	scene->now_ms += 20;
	(void)asks_tick(scene->asks, scene->now_ms);
	asks_free(scene->asks);
	scene->asks = NULL;
	check_settled(scene, 10, ASKS_AWAY, ASKS_AGAIN_MS + 20);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(scene->settled_of[i], 1);
}

static void memory_may_be_short(void **state)
{
	struct scene *scene = *state;
	unsigned failed = 0;
	uint64_t number;

	failing = 1;
	assert_null(asks_new(&calls, scene, 1));
	for (failing = 1;; failing = (int)failed + 1) {
		number = begin(scene, failed);
		if (scene->finds)
			break;
		failed++;
		check_settled(scene, failed, ASKS_FULL, 0);
		assert_int_equal(asks_count(scene->asks), 0);
	}
	failing = 0;
	/* Those of an ask and of a source, and of two empty tables. */
	assert_in_range(failed, 4, 6);
	/* What has failed takes no place of its source. */
	for (unsigned i = 1; i < ASKS_PER_SOURCE; i++)
		(void)begin(scene, failed + i);
	assert_int_equal(asks_count(scene->asks), ASKS_PER_SOURCE);
	assert_true(answered(scene, number, ANSWER_INVITED));
}

/* A table that cannot grow refuses one, and keeps what it has. */
static void memory_may_become_short(void **state)
{
	struct scene *scene = *state;
	uint64_t number[1000];
	unsigned refused = 0;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned before = scene->settled;

		/* Neither an ask nor its source. */
		failing = i == 0 ? 0 : i < 50 ? 3 : 2;
		number[i] = begin_at(scene, i, 1 + i % 50);
		failing = 0;
		if (scene->settled > before) {
			assert_int_equal(scene->end, ASKS_FULL);
			number[i] = 0;
			refused++;
		}
	}
	assert_in_range(refused, 1, 900);
	assert_int_equal(asks_count(scene->asks), 1000 - refused);
	for (unsigned i = 0; i < 1000; i++)
		if (number[i])
			assert_true(answered(scene, number[i], ANSWER_ABSENT));
	assert_int_equal(asks_count(scene->asks), 0);
}

static void each_end_has_a_word(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ASKS_ENDS; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(asks_end_word((enum asks_end)a),
				asks_end_word((enum asks_end)b));
}

static void nothing_may_be_freed(void **state)
{
	(void)state;
	asks_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_settles),
		TEST(each_answer_has_an_end),
		TEST(a_second_answer_is_none),
		TEST(the_answer_may_come_before_the_registry_says_that_it_is_sent),
		TEST(unknown_numbers_are_none),
		TEST(the_registry_settles_what_nobody_has),
		TEST(what_is_ours_may_be_held_elsewhere),
		TEST(a_registry_that_is_away),
		TEST(a_lost_message_is_sent_once_more),
		TEST(what_is_late_is_settled),
		TEST(a_slow_registry_is_not_asked_twice),
		TEST(the_second_find_may_fail),
		TEST(the_second_find_may_not_be_possible),
		TEST(asks_end_in_the_order_of_their_deadlines),
		TEST(a_late_tick_settles_and_sends_nothing),
		TEST(one_source_has_a_quarter),
		TEST(all_together_have_a_bound),
		TEST(sources_are_networks),
		TEST(those_that_are_left_are_settled_in_the_end),
		TEST(memory_may_be_short),
		TEST(memory_may_become_short),
		TEST(each_end_has_a_word),
		TEST(nothing_may_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
