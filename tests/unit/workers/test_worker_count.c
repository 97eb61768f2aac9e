/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how many workers there are by default. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cgroup.h"
#include "workers/worker_count.h"

static void as_many_as_may_run(void **state)
{
	static const struct {
		unsigned cpus;
		int64_t quota; /* thousandths */
		const char *hint;
		unsigned want;
		const char *why;
	} cases[] = {
		{8, 0, NULL, 8, "CPUs"},
		{8, 1500, NULL, 2, "cpu.max"},
		{8, 1, NULL, 1, "cpu.max"},
		{8, 8000, NULL, 8, "CPUs"},
		{2, 7001, "", 2, "CPUs"},
		{1000, 0, NULL, 256, "CPUs"},
		{8, 1500, "5", 5, "GOMAXPROCS"},
		{8, 1500, "0", 2, "cpu.max"},
		{8, 1500, "-3", 2, "cpu.max"},
		{8, 0, "3x", 8, "CPUs"},
		{8, 0, "9999999999999999999", 8, "CPUs"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cgroup_limit quota = {
			.most = cases[i].quota, .file = "/x/cpu.max"};
		const char *why;

		assert_int_equal(worker_count_default(cases[i].cpus, &quota,
					 cases[i].hint, &why),
			cases[i].want);
		assert_non_null(strstr(why, cases[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_may_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
