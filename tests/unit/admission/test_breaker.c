/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of when admission stops asking an endpoint. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "breaker.h"

#define PAUSE 1000
#define MOST  3

static void fails(struct breaker *breaker, int64_t now_ms, bool opens)
{
	assert_true(breaker_allows(breaker, now_ms, PAUSE));
	assert_int_equal(breaker_failed(breaker, now_ms, PAUSE, MOST), opens);
}

static void it_opens_after_failures_in_a_row(void **state)
{
	struct breaker breaker = {BREAKER_CLOSED, 0, 0};

	(void)state;
	fails(&breaker, 0, false);
	fails(&breaker, 1, false);
	assert_false(breaker_succeeded(&breaker));
	fails(&breaker, 2, false);
	fails(&breaker, 3, false);
	fails(&breaker, 4, true);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(breaker_allows(&breaker, 5, PAUSE));
	assert_false(breaker_allows(&breaker, 4 + PAUSE - 1, PAUSE));
	/* What was under way changes nothing. */
	assert_false(breaker_failed(&breaker, 900, PAUSE, MOST));
	assert_true(breaker_allows(&breaker, 4 + PAUSE, PAUSE));
}

static void one_question_tries(void **state)
{
	struct breaker breaker = {BREAKER_OPEN, 0, 100};

	(void)state;
	assert_true(breaker_allows(&breaker, 100, PAUSE));
	assert_int_equal(breaker.state, BREAKER_TRIAL);
	assert_false(breaker_allows(&breaker, 101, PAUSE));
	/* It fails. */
	assert_true(breaker_failed(&breaker, 200, PAUSE, MOST));
	assert_false(breaker_allows(&breaker, 200 + PAUSE - 1, PAUSE));
	assert_true(breaker_allows(&breaker, 200 + PAUSE, PAUSE));
	/* It never ends. */
	assert_true(breaker_allows(&breaker, 200 + 2 * PAUSE, PAUSE));
	/* It succeeds. */
	assert_true(breaker_succeeded(&breaker));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	fails(&breaker, 5000, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_opens_after_failures_in_a_row),
		cmocka_unit_test(one_question_tries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
