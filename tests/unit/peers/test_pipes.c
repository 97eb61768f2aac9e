/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the pool of kernel pipes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "peers/pipes.h"

#define SIZE 65536

static void a_pipe_that_comes_back_is_lent_again(void **state)
{
	struct pipe_pool pool;
	struct pipe *pipe;

	(void)state;
	pipe_pool_init(&pool, SIZE, 2);
	pipe = pipe_take(&pool);
	assert_non_null(pipe);
	assert_int_equal(pipe->size, SIZE);
	pipe_give(&pool, pipe);
	assert_ptr_equal(pipe_take(&pool), pipe);
	assert_int_equal(pool.made, 1);
	pipe_give(&pool, pipe);
	pipe_pool_finish(&pool);
	assert_int_equal(pool.made, 0);
}

static void no_more_are_lent_than_the_bound(void **state)
{
	struct pipe_pool pool;
	struct pipe *one, *two;

	(void)state;
	pipe_pool_init(&pool, SIZE, 2);
	one = pipe_take(&pool);
	two = pipe_take(&pool);
	assert_non_null(two);
	assert_null(pipe_take(&pool));
	pipe_give(&pool, one);
	assert_ptr_equal(pipe_take(&pool), one);
	pipe_give(&pool, one);
	pipe_give(&pool, two);
	pipe_pool_finish(&pool);
}

static void one_that_holds_bytes_is_not_lent_again(void **state)
{
	struct pipe_pool pool;
	struct pipe *pipe;
	int fd;

	(void)state;
	pipe_pool_init(&pool, SIZE, 1);
	pipe = pipe_take(&pool);
	assert_non_null(pipe);
	fd = pipe->read_fd;
	assert_int_equal(write(pipe->write_fd, "secret", 6), 6);
	pipe_discard(&pool, pipe);
	assert_int_equal(pool.made, 0);
	assert_int_equal(close(fd), -1); /* it was closed */
	pipe = pipe_take(&pool);
	assert_non_null(pipe);
	assert_int_equal(read(pipe->read_fd, &fd, 1), -1);
	pipe_give(&pool, pipe);
	pipe_discard(&pool, NULL);
	pipe_pool_finish(&pool);
}

static void a_size_of_zero_lends_none(void **state)
{
	struct pipe_pool pool;

	(void)state;
	pipe_pool_init(&pool, 0, 8);
	assert_null(pipe_take(&pool));
	pipe_pool_finish(&pool);
}

static void only_the_first_few_are_large(void **state)
{
	enum { MORE = 3 };
	struct pipe *pipes[PIPES_LARGE + MORE];
	struct pipe_pool pool;
	size_t i;

	(void)state;
	pipe_pool_init(&pool, 2 * PIPE_COMMON, PIPES_LARGE + MORE);
	for (i = 0; i < PIPES_LARGE + MORE; i++) {
		pipes[i] = pipe_take(&pool);
		assert_non_null(pipes[i]);
		assert_int_equal(pipes[i]->size,
			i < PIPES_LARGE ? 2 * PIPE_COMMON : PIPE_COMMON);
	}
	/* Large pipes are taken first, whatever was returned last. */
	pipe_give(&pool, pipes[PIPES_LARGE]);
	pipe_give(&pool, pipes[0]);
	pipe_give(&pool, pipes[PIPES_LARGE + 1]);
	assert_ptr_equal(pipe_take(&pool), pipes[0]);
	assert_ptr_equal(pipe_take(&pool), pipes[PIPES_LARGE + 1]);
	assert_ptr_equal(pipe_take(&pool), pipes[PIPES_LARGE]);
	/* A lost pipe makes room for another. */
	pipe_discard(&pool, pipes[0]);
	pipes[0] = pipe_take(&pool);
	assert_int_equal(pipes[0]->size, 2 * PIPE_COMMON);
	for (i = 0; i < PIPES_LARGE + MORE; i++)
		pipe_give(&pool, pipes[i]);
	pipe_pool_finish(&pool);
	assert_int_equal(pool.large, 0);
}

static void another_size_is_for_those_to_come(void **state)
{
	struct pipe_pool pool;
	struct pipe *lent, *idle;

	(void)state;
	pipe_pool_init(&pool, SIZE, 3);
	lent = pipe_take(&pool);
	idle = pipe_take(&pool);
	pipe_give(&pool, idle);
	pipe_pool_change(&pool, 2 * SIZE, 3);
	assert_int_equal(pool.made, 1);
	idle = pipe_take(&pool);
	assert_int_equal(idle->size, 2 * SIZE);
	pipe_give(&pool, lent);
	pipe_give(&pool, idle);
	assert_int_equal(pool.made, 1);
	pipe_pool_change(&pool, 0, 3);
	assert_int_equal(pool.made, 0);
	assert_null(pipe_take(&pool));
	pipe_pool_finish(&pool);
}

static void one_may_go_to_another_pool(void **state)
{
	struct pipe_pool pools[2];
	struct pipe *here, *comes;

	(void)state;
	for (int i = 0; i < 2; i++)
		pipe_pool_init(&pools[i], SIZE, 1);
	comes = pipe_take(&pools[0]);
	here = pipe_take(&pools[1]);
	pipe_pool_leave(&pools[0], comes);
	pipe_pool_enter(&pools[1], comes);
	assert_int_equal(pools[0].made, 0);
	assert_int_equal(pools[1].made, 2);
	/* One too many is not kept. */
	pipe_give(&pools[1], comes);
	assert_int_equal(pools[1].made, 1);
	pipe_give(&pools[1], here);
	assert_ptr_equal(pipe_take(&pools[1]), here);
	pipe_give(&pools[1], here);
	for (int i = 0; i < 2; i++)
		pipe_pool_finish(&pools[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_that_comes_back_is_lent_again),
		cmocka_unit_test(no_more_are_lent_than_the_bound),
		cmocka_unit_test(one_that_holds_bytes_is_not_lent_again),
		cmocka_unit_test(a_size_of_zero_lends_none),
		cmocka_unit_test(only_the_first_few_are_large),
		cmocka_unit_test(another_size_is_for_those_to_come),
		cmocka_unit_test(one_may_go_to_another_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
