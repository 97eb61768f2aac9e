/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what other modules give to devices. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "grants.h"

static const uint8_t id[ID_LEN] = {1}, other[ID_LEN] = {2};

static void has(const struct grants *grants, int64_t rate, int64_t weight)
{
	const struct grant *grant = grants_find(grants, id);

	assert_non_null(grant);
	assert_int_equal(grant->rate, rate);
	assert_int_equal(grant->weight, weight);
}

static void the_newest_of_one_holder_counts(void **state)
{
	struct grants grants = {NULL};

	(void)state;
	assert_int_equal(grants_hold(&grants, "", id, 100, 2), 0);
	assert_int_equal(grants_hold(&grants, "", id, 200, 1), 0);
	has(&grants, 200, 1);
	assert_null(grants_find(&grants, other));
	grants_let_go(&grants, "", id);
	has(&grants, 200, 1);
	grants_let_go(&grants, "", other);
	grants_let_go(&grants, "nobody", id);
	grants_let_go(&grants, "", id);
	assert_null(grants_find(&grants, id));
	grants_let_go(&grants, "", id);
	assert_null(grants.all);
}

static void each_holder_has_its_own(void **state)
{
	struct grants grants = {NULL};

	(void)state;
	assert_int_equal(grants_hold(&grants, "one", id, 100, 2), 0);
	assert_int_equal(grants_hold(&grants, "two", id, 50, 5), 0);
	has(&grants, 50, 5);
	assert_int_equal(grants_hold(&grants, "three", id, 0, 0), 0);
	has(&grants, 50, 5);
	grants_let_go(&grants, "two", id);
	has(&grants, 100, 2);
	grants_let_go(&grants, "one", id);
	has(&grants, 0, 0);
	assert_int_equal(grants_hold(&grants, "one", other, 1, 1), 0);
	grants_free(&grants);
	assert_null(grants.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_of_one_holder_counts),
		cmocka_unit_test(each_holder_has_its_own),
	};

	return id_hash_init() || cmocka_run_group_tests(tests, NULL, NULL);
}
