/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of banned devices, with the time passed in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bans.h"

static struct ban ban_of(unsigned number, int64_t until_s)
{
	struct ban ban = {.until_s = until_s};

	memcpy(ban.id, &number, sizeof(number));
	return ban;
}

static void add(struct bans *bans, unsigned number, int64_t until_s)
{
	const struct ban ban = ban_of(number, until_s);
	struct relay_err err;

	assert_int_equal(bans_add(bans, &ban, &err), 0);
}

static bool has(const struct bans *bans, unsigned number, int64_t now_s)
{
	return bans_find(bans, ban_of(number, 0).id, now_s) != NULL;
}

static void end_by_time(void **state)
{
	struct bans bans = {.list = NULL};

	(void)state;
	assert_false(has(&bans, 1, 0));
	add(&bans, 1, 100);
	add(&bans, 2, 0);
	assert_true(has(&bans, 1, 99) && has(&bans, 2, 99));
	assert_true(!has(&bans, 1, 100) && has(&bans, 2, INT64_MAX));
	add(&bans, 1, 200); /* a later one replaces it */
	assert_true(has(&bans, 1, 199));
	assert_int_equal(bans.count, 2);
	bans_drop_ended(&bans, 200);
	assert_int_equal(bans.count, 1);
	assert_true(has(&bans, 2, 200));
	bans_free(&bans);
}

static void last_as_long_when_the_clock_is_set(void **state)
{
	struct bans bans = {.list = NULL};
	struct ban here = ban_of(1, 100), for_ever = ban_of(2, 0);
	struct relay_err err;

	(void)state;
	here.made_here = for_ever.made_here = true;
	assert_int_equal(bans_add(&bans, &here, &err), 0);
	assert_int_equal(bans_add(&bans, &for_ever, &err), 0);
	add(&bans, 3, 100); /* of a file */
	bans_follow_clock(&bans, 1000);
	assert_true(has(&bans, 1, 1099) && !has(&bans, 1, 1100));
	assert_true(has(&bans, 2, INT64_MAX));
	assert_true(has(&bans, 3, 99) && !has(&bans, 3, 100));
	bans_follow_clock(&bans, -1000);
	assert_true(has(&bans, 1, 99) && !has(&bans, 1, 100));
	bans_free(&bans);
}

static void are_found_in_any_order(void **state)
{
	struct bans bans = {.list = NULL};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		add(&bans, i * 7919 % 1009, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(has(&bans, i * 7919 % 1009, 0));
	for (unsigned i = 0; i < 1000; i += 2)
		assert_true(bans_remove(&bans, ban_of(i * 7919 % 1009, 0).id));
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(has(&bans, i * 7919 % 1009, 0), i % 2);
	assert_false(bans_remove(&bans, ban_of(0, 0).id));
	bans_free(&bans);
}

static void are_at_most_so_many(void **state)
{
	const struct ban one_more = ban_of(BANS_MOST, 0);
	struct bans bans = {.list = NULL};
	struct relay_err err;

	(void)state;
	for (unsigned i = 0; i < BANS_MOST; i++)
		add(&bans, i, 0);
	assert_int_equal(bans_add(&bans, &one_more, &err), -1);
	assert_non_null(strstr(err.text, "10000 bans"));
	bans_free(&bans);
}

static void check_refused(const char *text)
{
	char *copy = strdup(text);
	struct relay_err err;
	struct bans bans;

	assert_non_null(copy);
	assert_int_equal(bans_parse(&bans, copy, "FILE", &err), -1);
	assert_non_null(strstr(err.text, "FILE is no whole list of bans"));
	assert_null(bans.list);
	free(copy);
}

static void a_file_is_whole_or_refused(void **state)
{
	struct bans bans = {.list = NULL}, again;
	struct relay_err err;
	size_t len;
	char *text;

	(void)state;
	add(&bans, 5, 77);
	add(&bans, 3, 0);
	text = bans_text(&bans, &len);
	assert_non_null(text);
	for (size_t cut = 0; cut < len; cut++) {
		char *part = strndup(text, cut);

		assert_non_null(part);
		check_refused(part);
		free(part);
	}
	assert_int_equal(bans_parse(&again, text, "FILE", &err), 0);
	assert_int_equal(again.count, 2);
	assert_int_equal(again.list[1].until_s, 77);
	bans_free(&again);
	bans_free(&bans);
	free(text);
	check_refused("strelaysrv bans 1 0 \n");
	check_refused("strelaysrv bans 1 -0\nx\n");
	check_refused("strelaysrv bans 2 0\n");
	check_refused("new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_by_time),
		cmocka_unit_test(last_as_long_when_the_clock_is_set),
		cmocka_unit_test(are_found_in_any_order),
		cmocka_unit_test(are_at_most_so_many),
		cmocka_unit_test(a_file_is_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
