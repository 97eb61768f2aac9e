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
	/* A lower bound does not affect existing connections; 0 means no bound.
	 */
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

/* A source that disconnects and comes back still has its used rate. */
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
	/* The account is removed by a later call, once its rate has recovered.
	 */
	assert_int_equal(ledger_accounts(&ledger), 1);
	for (int i = 0; i < 1000; i++) {
		memcpy(key, &i, sizeof(i));
		ledger_give(&ledger, ledger_take(&ledger, key, 0, 0, 100000), 0,
			100000);
	}
	assert_int_equal(ledger_accounts(&ledger), 0);
}

static void set_key(int number)
{
	memcpy(key, &number, sizeof(number));
}

/* A connection that begins and ends at once. */
static void come_and_go(int number, int64_t now_ms)
{
	struct account *account;

	set_key(number);
	account = ledger_take(&ledger, key, 0, 0, now_ms);
	assert_non_null(account);
	assert_true(ledger_spend(&ledger, account, 0, 1, now_ms));
	ledger_give(&ledger, account, 0, now_ms);
}

static bool has_used_its_rate(int number, int64_t now_ms)
{
	struct account *account;
	bool used;

	set_key(number);
	account = ledger_take(&ledger, key, 0, 0, now_ms);
	used = !ledger_affords(&ledger, account, 0, 1, now_ms);
	ledger_give(&ledger, account, 0, now_ms);
	return used;
}

static void a_full_table_forgets_only_whom_nothing_holds(void **state)
{
	enum { HELD = 1000, MORE = LEDGER_IDLE_MOST + LEDGER_IDLE_MOST / 4 };
	static struct account *held[HELD];

	(void)state;
	for (int i = 0; i < HELD; i++) {
		set_key(i);
		held[i] = ledger_take(&ledger, key, 0, 1, 1000);
		assert_non_null(held[i]);
	}
	for (int i = HELD; i < HELD + MORE; i++)
		come_and_go(i, 1000);
	assert_true(ledger_accounts(&ledger) <= HELD + LEDGER_IDLE_MOST);
	assert_true(ledger_forgotten(&ledger) >= MORE - LEDGER_IDLE_MOST);
	/* The latest sources are remembered, the first ones are not. */
	assert_true(has_used_its_rate(HELD + MORE - 1, 1000));
	assert_false(has_used_its_rate(HELD, 1000));
	for (int i = 0; i < HELD; i++) {
		set_key(i);
		assert_int_equal(ledger_taken(&ledger, key, 0), 1);
		ledger_give(&ledger, held[i], 0, 1000);
	}
}

/*
 * Active accounts do not delay the removal of idle ones, though there are more
 * in each part than a sweep looks at.
 */
static void the_idle_are_swept_behind_those_that_stay(void **state)
{
	const int staying = 100000;

	(void)state;
	for (int i = 0; i < staying; i++) {
		set_key(i);
		assert_non_null(ledger_take(&ledger, key, 0, 0, 1000));
	}
	for (int i = staying; i < staying + 1000; i++)
		come_and_go(i, 1000);
	for (int i = staying + 1000; i < staying + 2000; i++)
		come_and_go(i, 100000);
	assert_int_equal(ledger_accounts(&ledger), staying + 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_more_than_allowed),
		TEST(what_is_not_used_is_forgotten),
		TEST(a_rate_lets_a_minutes_worth_through),
		TEST(a_rate_outlives_the_connections),
		TEST(a_full_table_forgets_only_whom_nothing_holds),
		TEST(the_idle_are_swept_behind_those_that_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
