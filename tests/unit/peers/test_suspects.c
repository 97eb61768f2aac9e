/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the record of sources whose connections did nothing useful. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peers/suspects.h"

#define ONE   0x0000000100000002U
#define OTHER 0x0000000300000002U /* shares a counter with ONE */

static struct suspects suspects;

static void note_failures(uint64_t hash, int times)
{
	for (int i = 0; i < times; i++)
		suspects_failed(&suspects, hash, 0);
}

static void who_fails_often_is_suspect(void **state)
{
	(void)state;
	suspects_init(&suspects, 0);
	note_failures(ONE, SUSPECTS_FROM - 1);
	assert_false(suspects_have(&suspects, ONE, 0));
	note_failures(ONE, 1);
	assert_true(suspects_have(&suspects, ONE, 0));
	assert_false(suspects_have(&suspects, OTHER, 0));
}

static void it_is_forgotten(void **state)
{
	(void)state;
	suspects_init(&suspects, 0);
	note_failures(ONE, 1000);
	assert_true(suspects_have(&suspects, ONE, 3 * SUSPECTS_HALF_MS));
	assert_false(suspects_have(&suspects, ONE, 4 * SUSPECTS_HALF_MS));
	note_failures(ONE, 1000);
	assert_false(suspects_have(&suspects, ONE, INT64_MAX / 2));
}

static void what_settles_makes_up_for_some(void **state)
{
	(void)state;
	suspects_init(&suspects, 0);
	note_failures(ONE, SUSPECTS_FROM + SUSPECTS_REGAIN - 1);
	suspects_settled(&suspects, ONE, 0);
	assert_false(suspects_have(&suspects, ONE, 0));
	for (int i = 0; i < 10; i++)
		suspects_settled(&suspects, ONE, 0);
	note_failures(ONE, SUSPECTS_FROM);
	assert_true(suspects_have(&suspects, ONE, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_fails_often_is_suspect),
		cmocka_unit_test(it_is_forgotten),
		cmocka_unit_test(what_settles_makes_up_for_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
