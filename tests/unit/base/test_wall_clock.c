/* SPDX-License-Identifier: MPL-2.0 */

/* What follows a wall clock that is set while the process runs: the time of the
 * start, but not how long ago it was. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include <strelaysrv/server.h>

#define MINUTE INT64_C(60)
#define YEARS  (INT64_C(25) * 365 * 24 * 60 * MINUTE)

/* Long enough for the slowest machine. */
#define RUN_MS (60 * MINUTE * 1000)
#define RUN_US (RUN_MS * 1000)

/* Global: by how many seconds the wall clock has been set forward. */
static time_t ahead_s;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += ahead_s;
	return result;
}

static void uptime_does_not_jump(void **state)
{
	static const time_t jumps[] = {-YEARS, 24 * 60 * MINUTE, -MINUTE};

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		int64_t before = relay_uptime_ms();

		/* Nobody has asked for the time of the start yet. */
		ahead_s = jumps[i];
		assert_in_range(relay_uptime_ms(), before, before + RUN_MS);
	}
	ahead_s = 0;
}

static void start_follows_a_clock_that_is_set(void **state)
{
	int64_t start = relay_start_us();

	(void)state;
	ahead_s = -YEARS;
	assert_in_range(start - relay_start_us() + RUN_US, YEARS * 1000000,
		YEARS * 1000000 + 2 * RUN_US);
	ahead_s = 0;
	assert_in_range(relay_start_us() - start + RUN_US, 0, 2 * RUN_US);
}

static void start_does_not_follow_a_correction(void **state)
{
	int64_t start = relay_start_us();

	(void)state;
	ahead_s = MINUTE / 2;
	assert_int_equal(relay_start_us(), start);
	ahead_s = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uptime_does_not_jump),
		cmocka_unit_test(start_follows_a_clock_that_is_set),
		cmocka_unit_test(start_does_not_follow_a_correction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
