/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the limit on waiting: with one thread, and with the race of two. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "workers/wait_limit.h"
#include "workers/workers_state.h"

#define ROUNDS  200000
#define STEP_MS 500

static struct workers_state room;
static atomic_bool over;

static void it_is_reached_once(void **state)
{
	(void)state;
	assert_int_equal(wait_limit_set(2 * STEP_MS + 1), 0);
	assert_false(wait_limit_pass(STEP_MS));
	assert_false(wait_limit_pass(STEP_MS));
	assert_true(wait_limit_pass(STEP_MS));
	assert_false(wait_limit_pass(STEP_MS));
	assert_int_equal(wait_limit_set(0), 0);
}

static void no_limit_is_never_reached(void **state)
{
	(void)state;
	(void)wait_limit_set(STEP_MS + 1);
	assert_false(wait_limit_pass(STEP_MS));
	assert_int_equal(wait_limit_set(0), 1);
	assert_false(wait_limit_pass(STEP_MS));
}

static void *pass(void *arg)
{
	unsigned *reached = arg;

	while (!atomic_load(&over))
		*reached += wait_limit_pass(STEP_MS);
	return NULL;
}

/* Each limit is either withdrawn or reached, and both threads agree on it. */
static void a_limit_that_was_withdrawn_is_not_reached(void **state)
{
	unsigned reached = 0, lost = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, pass, &reached), 0);
	for (int i = 0; i < ROUNDS; i++) {
		(void)wait_limit_set(STEP_MS);
		lost += wait_limit_set(0) == 0;
	}
	atomic_store(&over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reached, lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_reached_once),
		cmocka_unit_test(no_limit_is_never_reached),
		cmocka_unit_test(a_limit_that_was_withdrawn_is_not_reached),
	};

	instance->workers = &room;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
