/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which tickets of admission have a question that is not settled. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unsettled.h"

#define WORKERS 256 /* which the lowest bits of a ticket name */
#define MOST    1024

static struct unsettled unsettled;

static uint64_t ticket_of(uint64_t number, unsigned worker)
{
	return number * WORKERS + worker;
}

static void a_ticket_waits_until_it_is_settled(void **state)
{
	const uint64_t ticket = ticket_of(7, 3);

	(void)state;
	memset(&unsettled, 0, sizeof(unsettled));
	assert_false(unsettled_may_have(&unsettled, ticket));
	unsettled_begin(&unsettled, ticket);
	unsettled_begin(&unsettled, ticket);
	unsettled_end(&unsettled, ticket);
	assert_true(unsettled_may_have(&unsettled, ticket));
	unsettled_end(&unsettled, ticket);
	assert_false(unsettled_may_have(&unsettled, ticket));
}

/* Of those that wait none is overlooked; of others few are taken for one that
 * waits, although a thousand wait. */
static void others_are_told_apart(void **state)
{
	unsigned wrong = 0;

	(void)state;
	memset(&unsettled, 0, sizeof(unsettled));
	for (unsigned i = 0; i < MOST; i++)
		unsettled_begin(&unsettled, ticket_of(5000 + i / 2, i % 2));
	for (unsigned i = 0; i < MOST; i++)
		assert_true(unsettled_may_have(
			&unsettled, ticket_of(5000 + i / 2, i % 2)));
	for (unsigned i = 0; i < MOST; i++)
		wrong += unsettled_may_have(
			&unsettled, ticket_of(1 + i / 2, i % 2));
	assert_true(wrong < MOST / 2);
	for (unsigned i = 0; i < MOST; i++)
		unsettled_end(&unsettled, ticket_of(5000 + i / 2, i % 2));
	for (unsigned i = 0; i < MOST; i++)
		assert_false(unsettled_may_have(
			&unsettled, ticket_of(5000 + i / 2, i % 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_waits_until_it_is_settled),
		cmocka_unit_test(others_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
