/* SPDX-License-Identifier: MPL-2.0 */

/* A counting semaphore whose wait ends by the monotonic clock. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/posts.h"

#define PATIENCE_MS 60000
#define THREADS     4
#define EACH        500

static void what_was_added_is_taken_once(void **state)
{
	struct posts posts;

	(void)state;
	assert_int_equal(posts_init(&posts), 0);
	posts_add(&posts);
	posts_add(&posts);
	/* Without a wait: the time is over. */
	assert_true(posts_take(&posts, 0));
	assert_true(posts_take(&posts, 0));
	assert_false(posts_take(&posts, 0));
	posts_finish(&posts);
}

static void the_wait_is_not_shorter_than_asked(void **state)
{
	struct posts posts;
	int64_t until_ms = clock_ms() + 30;

	(void)state;
	assert_int_equal(posts_init(&posts), 0);
	assert_false(posts_take(&posts, until_ms));
	assert_true(clock_ms() >= until_ms);
	posts_finish(&posts);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < EACH; i++)
		posts_add(arg);
	return NULL;
}

static void threads_that_add_wake_the_one_that_waits(void **state)
{
	struct posts posts;
	pthread_t threads[THREADS];
	int64_t until_ms = clock_ms() + PATIENCE_MS;

	(void)state;
	assert_int_equal(posts_init(&posts), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, &posts), 0);
	for (int i = 0; i < THREADS * EACH; i++)
		assert_true(posts_take(&posts, until_ms));
	assert_false(posts_take(&posts, 0));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	posts_finish(&posts);
}

static void *add_one(void *arg)
{
	posts_add(arg);
	return NULL;
}

/* As a worker does whose answer ends the wait. */
static void the_one_that_takes_the_last_may_free_it(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct posts *posts = malloc(sizeof(*posts));
		pthread_t thread;

		assert_non_null(posts);
		assert_int_equal(posts_init(posts), 0);
		assert_int_equal(
			pthread_create(&thread, NULL, add_one, posts), 0);
		assert_true(posts_take(posts, clock_ms() + PATIENCE_MS));
		posts_finish(posts);
		free(posts);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_taken_once),
		cmocka_unit_test(the_wait_is_not_shorter_than_asked),
		cmocka_unit_test(threads_that_add_wake_the_one_that_waits),
		cmocka_unit_test(the_one_that_takes_the_last_may_free_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
