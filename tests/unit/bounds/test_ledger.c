/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the accounts of sources and devices. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ledger.h"

static struct ledger ledger;
static uint8_t key[LEDGER_KEY];

static int setup(void **state)
{
	(void)state;
	memset(key, 7, sizeof(key));
	return ledger_init(&ledger);
}

static int teardown(void **state)
{
	(void)state;
	ledger_finish(&ledger);
	return 0;
}

static void no_more_than_allowed(void **state)
{
	struct account *account = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		account = ledger_take(&ledger, key, 0, 3, 0);
		assert_non_null(account);
	}
	assert_null(ledger_take(&ledger, key, 0, 3, 0));
	assert_int_equal(ledger_taken(&ledger, key, 0), 3);
	assert_true(ledger_take_more(&ledger, account, 1, 1));
	assert_false(ledger_take_more(&ledger, account, 1, 1));
	ledger_give(&ledger, account, 0, 0);
	assert_non_null(ledger_take(&ledger, key, 0, 3, 0));
	assert_null(ledger_take(&ledger, key, 0, 3, 0));
	/* A lower bound takes nothing away; 0 is none. */
	assert_null(ledger_take(&ledger, key, 0, 1, 0));
	assert_non_null(ledger_take(&ledger, key, 0, 0, 0));
}

static void what_is_not_used_is_forgotten(void **state)
{
	struct account *account = ledger_take(&ledger, key, 0, 1, 0);

	(void)state;
	assert_int_equal(ledger_accounts(&ledger), 1);
	assert_int_equal(ledger_taken(&ledger, key, 0), 1);
	ledger_give(&ledger, account, 0, 0);
	assert_int_equal(ledger_accounts(&ledger), 0);
	assert_int_equal(ledger_taken(&ledger, key, 0), 0);
	ledger_give(&ledger, NULL, 0, 0);
}

static void a_rate_lets_a_minutes_worth_through(void **state)
{
	struct account *account = ledger_take(&ledger, key, 0, 0, 1000);

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_true(ledger_spend(&ledger, account, 0, 60, 1000));
	assert_false(ledger_spend(&ledger, account, 0, 60, 1000));
	assert_true(ledger_spend(&ledger, account, 1, 60, 1000));
	assert_false(ledger_spend(&ledger, account, 0, 60, 1999));
	assert_true(ledger_spend(&ledger, account, 0, 60, 2000));
	assert_false(ledger_spend(&ledger, account, 0, 60, 2000));
	for (int i = 0; i < 60; i++)
		assert_true(ledger_spend(&ledger, account, 0, 60, 100000));
	for (int i = 0; i < 1000; i++)
		assert_true(ledger_spend(&ledger, account, 0, 0, 100000));
	ledger_give(&ledger, account, 0, 500000);
	assert_int_equal(ledger_accounts(&ledger), 0);
}

/* Who leaves and comes back finds what it has used up. */
static void a_rate_outlives_the_connections(void **state)
{
	struct account *account;

	(void)state;
	for (int i = 0; i < 10; i++) {
		account = ledger_take(&ledger, key, 0, 1, 1000);
		assert_non_null(account);
		assert_true(ledger_spend(&ledger, account, 0, 10, 1000));
		ledger_give(&ledger, account, 0, 1000);
	}
	account = ledger_take(&ledger, key, 0, 1, 1000);
	assert_false(ledger_spend(&ledger, account, 0, 10, 1000));
	ledger_give(&ledger, account, 0, 1000);
	/* It is swept away once the rate is clear, when somebody comes. */
	assert_int_equal(ledger_accounts(&ledger), 1);
	for (int i = 0; i < 1000; i++) {
		memcpy(key, &i, sizeof(i));
		ledger_give(&ledger, ledger_take(&ledger, key, 0, 0, 100000), 0,
			100000);
	}
	assert_int_equal(ledger_accounts(&ledger), 0);
}

static void the_number_of_accounts_is_bounded(void **state)
{
	int refused = 0;

	(void)state;
	for (int i = 0; i < LEDGER_MOST + LEDGER_MOST / 4; i++) {
		memcpy(key, &i, sizeof(i));
		refused += !ledger_take(&ledger, key, 0, 0, 0);
	}
	assert_true(refused > 0);
	assert_true(ledger_accounts(&ledger) <= LEDGER_MOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_more_than_allowed),
		TEST(what_is_not_used_is_forgotten),
		TEST(a_rate_lets_a_minutes_worth_through),
		TEST(a_rate_outlives_the_connections),
		TEST(the_number_of_accounts_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
