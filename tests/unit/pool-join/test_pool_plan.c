/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how pool-join reacts to a pool's answers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define MIDDLE (UINT32_MAX / 2)

static struct plan_next after(
	struct plan *plan, long status, const char *body, uint32_t random)
{
	struct plan_answer answer = {
		.status = status, .body = body, .len = strlen(body)};

	return plan_after(plan, &answer, random);
}

/* Rounding may lose a millisecond. */
static void assert_about(int64_t got, int64_t want)
{
	assert_in_range(got, want - 2, want + 2);
}

static void an_hour_granted_is_used_to_four_fifths(void **state)
{
	struct plan plan = {0};
	const char *body = "{\"evictionIn\": 3600000000000}";
	struct plan_next next = after(&plan, 200, body, 0);

	(void)state;
	assert_int_equal(next.outcome, PLAN_JOINED);
	assert_int_equal(next.told_ms, 48 * MINUTE);
	assert_int_equal(next.delay_ms, 48 * MINUTE);
	assert_int_equal(next.keep_ms, 60 * MINUTE);
	next = after(&plan, 200, body, UINT32_MAX);
	assert_int_equal(next.told_ms, 48 * MINUTE);
	assert_about(next.delay_ms, 48 * MINUTE * 99 / 100);
}

static void bounds_of_what_is_granted(void **state)
{
	static const struct {
		const char *body;
		enum plan_outcome outcome;
	} rows[] = {
		{"{\"evictionIn\": 10000000000}", PLAN_JOINED},
		{"{\"evictionIn\": 9999999999}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": 604800000000000}", PLAN_JOINED},
		{"{\"evictionIn\": 604800000000001e1}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": 0}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": -1}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": 1e999}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": true}", PLAN_UNDECODABLE},
		{"{\"evictionIn\": \"3600000000000\"}", PLAN_UNDECODABLE},
		{"{}", PLAN_UNDECODABLE},
		{"[]", PLAN_UNDECODABLE},
		{"", PLAN_UNDECODABLE},
		{"{\"evictionIn\": 3600000000000", PLAN_UNDECODABLE},
		{"{\"evictionin\": 3600000000000, \"x\": []}", PLAN_JOINED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = {0};
		struct plan_next next = after(&plan, 200, rows[i].body, MIDDLE);

		if (next.outcome != rows[i].outcome)
			fail_msg("%s: got %d, want %d", rows[i].body,
				(int)next.outcome, (int)rows[i].outcome);
	}
}

static void what_cannot_be_decoded_waits_an_hour_each_time(void **state)
{
	struct plan plan = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_about(
			after(&plan, 200, "no", MIDDLE).delay_ms, 1 * HOUR);
}

static void half_of_an_answer_is_not_decoded(void **state)
{
	struct plan plan = {0};
	const char *body = "{\"evictionIn\": 3600000000000}";
	struct plan_answer answer = {
		.status = 200, .body = body, .len = strlen(body), .cut = true};

	(void)state;
	assert_int_equal(
		plan_after(&plan, &answer, MIDDLE).outcome, PLAN_UNDECODABLE);
}

static void failures_back_off_to_ten_minutes(void **state)
{
	static const int minutes[] = {1, 2, 4, 8, 10, 10, 10};
	static const long statuses[] = {500, 429, 0, 400, 302, 503, 0};
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++)
		assert_about(after(&plan, statuses[i], "", MIDDLE).delay_ms,
			minutes[i] * MINUTE);
	assert_about(after(&plan, 500, "", UINT32_MAX).delay_ms, 10 * MINUTE);
	assert_about(after(&plan, 500, "", 0).delay_ms, 9 * MINUTE);
}

static void refusals_back_off_to_a_day(void **state)
{
	static const int hours[] = {1, 2, 4, 8, 16, 24, 24};
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		struct plan_next next = after(&plan, 401, "", MIDDLE);

		assert_int_equal(next.outcome, PLAN_UNAUTHORIZED);
		assert_about(next.delay_ms, (int64_t)hours[i] * HOUR);
	}
}

static void success_begins_anew(void **state)
{
	struct plan plan = {0};

	(void)state;
	for (int i = 0; i < 9; i++) {
		(void)after(&plan, 401, "", MIDDLE);
		(void)after(&plan, 500, "", MIDDLE);
	}
	(void)after(&plan, 200, "{\"evictionIn\": 3600000000000}", MIDDLE);
	assert_about(after(&plan, 500, "", MIDDLE).delay_ms, 1 * MINUTE);
	assert_about(after(&plan, 401, "", MIDDLE).delay_ms, 1 * HOUR);
}

static void jitter_spreads_around(void **state)
{
	struct plan plan = {0};

	(void)state;
	assert_about(after(&plan, 0, "", 0).delay_ms, MINUTE * 9 / 10);
	plan = (struct plan){0};
	assert_about(
		after(&plan, 0, "", UINT32_MAX).delay_ms, MINUTE * 11 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_granted_is_used_to_four_fifths),
		cmocka_unit_test(bounds_of_what_is_granted),
		cmocka_unit_test(
			what_cannot_be_decoded_waits_an_hour_each_time),
		cmocka_unit_test(half_of_an_answer_is_not_decoded),
		cmocka_unit_test(failures_back_off_to_ten_minutes),
		cmocka_unit_test(refusals_back_off_to_a_day),
		cmocka_unit_test(success_begins_anew),
		cmocka_unit_test(jitter_spreads_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
