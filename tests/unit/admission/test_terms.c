/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what an answer asks of the modules rate-limit and quota. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/service.h>

#include "here.h"
#include "quota/quota_service.h"
#include "rate-limit/rate_limit_service.h"
#include "terms.h"

static bool limited, no_memory;
static int64_t rate, weight, month;

static int hold_by(struct relay_ctx *self, const char *holder,
	const uint8_t *id, int64_t its_rate, int64_t its_weight)
{
	(void)self;
	(void)holder;
	(void)id;
	if (no_memory)
		return -1;
	limited = true;
	rate = its_rate;
	weight = its_weight;
	return 0;
}

static void let_go_by(
	struct relay_ctx *self, const char *holder, const uint8_t *id)
{
	(void)self;
	(void)holder;
	(void)id;
	assert_true(limited);
	limited = false;
}

static int64_t spend(struct relay_ctx *self, const char *name, int64_t bytes)
{
	(void)self;
	assert_int_equal(strncmp(name, "device.", strlen("device.")), 0);
	if (month >= 0)
		month += bytes;
	return month;
}

static const struct rate_limit_service limiter = {
	.hold_by = hold_by, .let_go_by = let_go_by};
static const struct quota_service quota = {.spend = spend};
static bool limiter_runs, quota_runs;

const void *relay_service_find(struct relay_ctx *cx, const char *name,
	unsigned version, struct relay_ctx **self)
{
	(void)version;
	*self = cx;
	if (strcmp(name, RATE_LIMIT_SERVICE) == 0)
		return limiter_runs ? &limiter : NULL;
	assert_string_equal(name, QUOTA_SERVICE);
	return quota_runs ? &quota : NULL;
}

static int set_up(void **state)
{
	(void)state;
	limited = no_memory = false;
	limiter_runs = quota_runs = true;
	month = 0;
	return 0;
}

static void test_a_rate_or_a_weight_limits(void **state)
{
	struct device device = {.answer = {.rate = 1000}};

	(void)state;
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_true(limited && device.limited);
	assert_int_equal(rate, 1000);
	assert_int_equal(weight, 0);
	device.answer = (struct answer){.weight = 7};
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_true(limited);
	assert_int_equal(weight, 7);
	device.answer = (struct answer){.allow = true};
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_false(limited || device.limited);
}

static void test_an_answer_without_terms_needs_nobody(void **state)
{
	struct device device = {.answer = {.allow = true}};

	(void)state;
	limiter_runs = quota_runs = false;
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_false(device.limited);
}

static void test_what_nobody_keeps_is_told(void **state)
{
	struct device device = {.answer = {.rate = 1000}};

	(void)state;
	no_memory = true;
	assert_int_equal(terms_apply(NULL, &device), TERMS_NO_MEMORY);
	assert_false(device.limited);
	limiter_runs = quota_runs = false;
	assert_int_equal(terms_apply(NULL, &device), TERMS_UNLIMITED);
	device.answer = (struct answer){.weight = 2};
	assert_int_equal(terms_apply(NULL, &device), TERMS_UNLIMITED);
	device.answer.quota = 1000;
	assert_int_equal(terms_apply(NULL, &device), TERMS_UNCOUNTED);
	assert_true(device.used_up);
}

static void test_a_quota_is_used_up(void **state)
{
	struct device device = {.answer = {.quota = 1000}, .bytes = 999};

	(void)state;
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_int_equal(month, 999);
	assert_false(device.used_up);
	device.bytes = 1000;
	assert_int_equal(terms_apply(NULL, &device), TERMS_USED_UP);
	assert_int_equal(month, 1000);
	assert_true(device.used_up);
	device.answer.quota = 0;
	assert_int_equal(terms_apply(NULL, &device), TERMS_KEPT);
	assert_false(device.used_up);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_rate_or_a_weight_limits),
		TEST(test_an_answer_without_terms_needs_nobody),
		TEST(test_what_nobody_keeps_is_told),
		TEST(test_a_quota_is_used_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
