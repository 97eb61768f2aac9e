/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the table of clients that wait: who meets whom, its bounds, and what
 * it does without memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wormhole-transit/waiting.h"

#define CLIENTS 20

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);

/* The call that fails, from 1; 0: none. */
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
	struct waiting table;
	struct waiter clients[CLIENTS];
	struct waiting_limits limits;
	struct waiting_losers losers;
	struct place other;
};

static int set_up(void **state)
{
	struct scene *scene = __real_calloc(1, sizeof(*scene));

	assert_non_null(scene);
	assert_int_equal(waiting_init(&scene->table), 0);
	scene->limits = (struct waiting_limits){16, 64, 1000};
	for (unsigned i = 0; i < CLIENTS; i++)
		scene->clients[i].place = (struct place){1, i + 1};
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < CLIENTS; i++)
		waiting_leave(&scene->table, &scene->clients[i]);
	assert_int_equal(waiting_count(&scene->table), 0);
	assert_null(scene->table.groups);
	assert_null(scene->table.holders);
	waiting_finish(&scene->table);
	free(scene);
	return 0;
}

static struct line line_of(const char *token, const char *side)
{
	struct line line = {.sided = side != NULL};

	memset(line.token, 'x', LINE_TOKEN);
	memcpy(line.token, token, strlen(token));
	memset(line.side, 'y', LINE_SIDE);
	if (side)
		memcpy(line.side, side, strlen(side));
	return line;
}

/* levels 0: exempt. */
static struct source source_of(uint8_t number, unsigned levels)
{
	struct source source = {.levels = levels};

	for (unsigned i = 0; i < levels; i++)
		source.key[i][0] = i + 1 < levels ? number : 0;
	for (unsigned i = 0; i < levels; i++)
		source.key[i][16] = (uint8_t)(64 - i);
	return source;
}

static enum waiting_answer come(struct scene *scene, unsigned who,
	const char *token, const char *side, struct source source)
{
	struct line line = line_of(token, side);

	return waiting_meet(&scene->table, &scene->clients[who], &line, &source,
		&scene->limits, &scene->other, &scene->losers);
}

static void comes_and_waits(
	struct scene *scene, unsigned who, const char *token, const char *side)
{
	assert_int_equal(
		come(scene, who, token, side, source_of(0, 0)), WAITING_ADDED);
	assert_int_equal(scene->losers.count, 0);
	assert_true(waiting_has(&scene->table, &scene->clients[who]));
}

static void meets(struct scene *scene, unsigned who, const char *token,
	const char *side, unsigned whom)
{
	assert_int_equal(come(scene, who, token, side, source_of(0, 0)),
		WAITING_MATCHED);
	assert_int_equal(scene->other.conn, whom + 1);
	assert_false(waiting_has(&scene->table, &scene->clients[whom]));
	assert_false(waiting_has(&scene->table, &scene->clients[who]));
}

static void two_sides_of_a_token_meet(void **state)
{
	struct scene *scene = *state;

	comes_and_waits(scene, 0, "one", "a");
	comes_and_waits(scene, 1, "One", "b");
	comes_and_waits(scene, 2, "one", "a");
	meets(scene, 3, "one", "b", 2);
	meets(scene, 4, "one", "b", 0);
	meets(scene, 5, "One", NULL, 1);
}

static void who_says_no_side_meets_any(void **state)
{
	struct scene *scene = *state;

	comes_and_waits(scene, 0, "one", NULL);
	meets(scene, 1, "one", "a", 0);
	comes_and_waits(scene, 0, "one", NULL);
	meets(scene, 1, "one", NULL, 0);
}

static void the_rest_of_a_token_is_taken_out(void **state)
{
	struct scene *scene = *state;
	struct place rest[WAITING_PER_TOKEN_MOST];

	for (unsigned i = 0; i < 5; i++)
		comes_and_waits(scene, i, "one", "a");
	comes_and_waits(scene, 5, "two", "a");
	assert_int_equal(
		waiting_rest(&scene->table, line_of("one", NULL).token, rest),
		5);
	assert_int_equal(rest[0].conn, 1);
	assert_int_equal(rest[4].conn, 5);
	assert_int_equal(waiting_count(&scene->table), 1);
	assert_int_equal(
		waiting_rest(&scene->table, line_of("one", NULL).token, rest),
		0);
}

static void of_a_token_the_oldest_goes(void **state)
{
	struct scene *scene = *state;

	scene->limits.per_token = 2;
	comes_and_waits(scene, 0, "one", "a");
	comes_and_waits(scene, 1, "one", "a");
	assert_int_equal(
		come(scene, 2, "one", "a", source_of(0, 0)), WAITING_ADDED);
	assert_int_equal(scene->losers.count, 1);
	assert_int_equal(scene->losers.at[0].place.conn, 1);
	assert_int_equal(scene->losers.at[0].bound, BOUND_TOKEN);
}

static void each_level_of_a_source_has_its_bound(void **state)
{
	struct scene *scene = *state;
	unsigned lost = 0;

	scene->limits.per_source = 1;
	for (unsigned i = 0; i < CLIENTS; i++) {
		char token[] = {(char)('a' + i), '\0'};

		assert_int_equal(come(scene, i, token, NULL,
					 source_of((uint8_t)(i / 2), 3)),
			WAITING_ADDED);
		for (unsigned k = 0; k < scene->losers.count; k++)
			assert_int_equal(
				scene->losers.at[k].bound, BOUND_SOURCE);
		lost += scene->losers.count;
	}
	/* A /64 has one; all are of one /48, which may have four. */
	assert_int_equal(waiting_count(&scene->table), 4);
	assert_int_equal(lost, CLIENTS - 4);
}

static void all_have_a_bound(void **state)
{
	struct scene *scene = *state;

	scene->limits.all = 1;
	comes_and_waits(scene, 0, "one", "a");
	assert_int_equal(
		come(scene, 1, "two", "a", source_of(1, 1)), WAITING_ADDED);
	assert_int_equal(scene->losers.count, 1);
	assert_int_equal(scene->losers.at[0].bound, BOUND_ALL);
	assert_int_equal(scene->losers.at[0].place.conn, 1);
}

/* The sanitizer shows that nothing is lost. */
static void without_memory_nobody_waits(void **state)
{
	struct scene *scene = *state;
	int call = 1;

	for (;; call++) {
		failing = call;
		if (come(scene, 0, "one", "a", source_of(1, 3)) ==
			WAITING_ADDED)
			break;
		assert_int_equal(failing, 0);
		assert_int_equal(waiting_count(&scene->table), 0);
		assert_null(scene->table.groups);
		assert_null(scene->table.holders);
	}
	failing = 0;
	assert_true(call > 4);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(two_sides_of_a_token_meet),
		T(who_says_no_side_meets_any),
		T(the_rest_of_a_token_is_taken_out),
		T(of_a_token_the_oldest_goes),
		T(each_level_of_a_source_has_its_bound),
		T(all_have_a_bound),
		T(without_memory_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
