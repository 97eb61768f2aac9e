/* SPDX-License-Identifier: MPL-2.0 */

/* After which checks a relay leaves the list and comes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "endpoint/fitness.h"

static const struct fitness_limits limits = {
	.remove_after = 3, .restore_after = 2};

/* Takes checks, 'y' answers and 'n' does not; returns how often the state has
 * changed. */
static unsigned take(struct fitness *fitness, const char *checks)
{
	unsigned changes = 0;

	for (; *checks; checks++)
		changes += fitness_take(fitness, *checks == 'y', &limits);
	return changes;
}

static void one_answer_is_enough_for_the_first_time(void **state)
{
	struct fitness fitness = {.state = FITNESS_UNCHECKED};

	(void)state;
	assert_int_equal(take(&fitness, "nn"), 0);
	assert_int_equal(fitness.state, FITNESS_UNCHECKED);
	assert_int_equal(take(&fitness, "y"), 1);
	assert_int_equal(fitness.state, FITNESS_ANSWERS);
}

static void only_failures_in_a_row_remove_it(void **state)
{
	struct fitness fitness = {.state = FITNESS_ANSWERS};

	(void)state;
	assert_int_equal(take(&fitness, "nnynnynn"), 0);
	assert_int_equal(take(&fitness, "n"), 1);
	assert_int_equal(fitness.state, FITNESS_FAILS);
	assert_int_equal(take(&fitness, "nnn"), 0);
}

static void only_answers_in_a_row_restore_it(void **state)
{
	struct fitness fitness = {.state = FITNESS_FAILS};

	(void)state;
	assert_int_equal(take(&fitness, "ynyny"), 0);
	assert_int_equal(take(&fitness, "y"), 1);
	assert_int_equal(fitness.state, FITNESS_ANSWERS);
}

static void who_never_answered_is_removed_as_well(void **state)
{
	struct fitness fitness = {.state = FITNESS_UNCHECKED};

	(void)state;
	assert_int_equal(take(&fitness, "nnn"), 1);
	assert_int_equal(fitness.state, FITNESS_FAILS);
}

static void a_doubt_is_cleared_soon(void **state)
{
	struct fitness sure = {.state = FITNESS_ANSWERS};
	struct fitness doubted = {.state = FITNESS_ANSWERS, .against = 1};

	(void)state;
	assert_int_equal(fitness_pause_ms(&sure, 60000, 0), 54000);
	assert_in_range(
		fitness_pause_ms(&sure, 60000, UINT32_MAX), 65990, 66000);
	assert_int_equal(fitness_pause_ms(&doubted, 60000, 0), 9000);
	assert_in_range(
		fitness_pause_ms(&doubted, 60000, UINT32_MAX), 10990, 11000);
	assert_int_equal(
		fitness_pause_ms(&sure, 3600000, UINT32_MAX / 2 + 1), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_answer_is_enough_for_the_first_time),
		cmocka_unit_test(only_failures_in_a_row_remove_it),
		cmocka_unit_test(only_answers_in_a_row_restore_it),
		cmocka_unit_test(who_never_answered_is_removed_as_well),
		cmocka_unit_test(a_doubt_is_cleared_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
