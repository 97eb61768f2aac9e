/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of when claims are sent: bounds, pauses, the round of checks; and of
 * memory, which is short or must suffice. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "claims_double.h"
#include "cluster/claims/claim_notes.h"

#define MANY 5000u

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);

static int allocations_left = -1; /* -1: no limit */
static size_t devices_bytes, buckets_bytes;

static bool is_short(void)
{
	if (allocations_left > 0)
		allocations_left--;
	else if (allocations_left == 0)
		return true;
	return false;
}

/* As the heap counts it. */
static size_t with_header(size_t size)
{
	return (size + sizeof(size_t) + 15) / 16 * 16;
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (is_short())
		return NULL;
	if (count == 1)
		devices_bytes += with_header(size);
	else
		buckets_bytes = with_header(count * size);
	return __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return is_short() ? NULL : __real_malloc(size);
}

static const struct owner nobody = {0, 0};

/* All that is under way is answered; `d->quiet` must be set. */
static void answer_all(struct claims_double *d, unsigned devices)
{
	static unsigned answered[200000];

	for (bool again = true; again;) {
		again = false;
		for (unsigned i = 1; i <= devices; i++)
			if (answered[i] < d->asked[i]) {
				answered[i] = d->asked[i];
				answer(d, i, nobody, (struct owner){SELF, 1});
				again = true;
			}
	}
	memset(answered, 0, sizeof(answered));
	memset(d->asked, 0, sizeof(d->asked));
}

static struct claims_double *with_many(unsigned devices)
{
	struct claims_double *d = claims_double_new();

	d->quiet = true;
	for (unsigned i = 1; i <= devices; i++)
		join(d, i, i);
	answer_all(d, devices);
	assert_int_equal(counts(d).unclaimed, 0);
	d->total = 0;
	return d;
}

static void few_are_under_way_and_the_rest_waits_in_order(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	d->quiet = true;
	for (unsigned i = 1; i <= CLAIMS_FLIGHT + 3; i++)
		join(d, i, i);
	assert_int_equal(d->total, CLAIMS_FLIGHT);
	pass(d, 1000);
	assert_int_equal(d->total, CLAIMS_FLIGHT);
	for (unsigned i = 1; i <= 3; i++) {
		answer(d, i, nobody, (struct owner){SELF, 1});
		assert_int_equal(d->last, CLAIMS_FLIGHT + i);
	}
	assert_int_equal(d->total, CLAIMS_FLIGHT + 3);
	claims_double_free(d);
}

/* The ms until the registry is asked again. */
static int64_t pause_of(struct claims_double *d)
{
	int64_t begin = d->now;

	while (d->len == 0 && d->now - begin < 10000)
		pass(d, 1);
	d->len = 0;
	d->log[0] = '\0';
	return d->now - begin;
}

static void a_registry_that_refuses_is_asked_less_and_less(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	d->claim = -1;
	join(d, 1, 1);
	join(d, 2, 2);
	said(d, "join1/0 ");
	for (int64_t most = 100; most <= 20000; most *= 2) {
		int64_t pause = pause_of(d), bound = most < 5000 ? most : 5000;

		assert_in_range(pause, bound / 2, bound);
	}
	d->claim = 0;
	pass(d, 5000);
	said(d, "join1/0 join2/0 ");
	/* An answer ends that. */
	answer(d, 1, nobody, (struct owner){SELF, 1});
	d->claim = -1;
	join(d, 3, 3);
	said(d, "join3/1 ");
	assert_in_range(pause_of(d), 50, 100);
	claims_double_free(d);
}

static void what_was_not_answered_is_asked_again(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 1);
	join(d, 2, 2);
	said(d, "join1/0 join2/0 ");
	answer(d, 2, nobody, (struct owner){SELF, 1});
	claims_told_claimed(d->claims, OTHER, id_of(2), 1, d->now);
	probed(d, 2, 2, true);
	said(d, "probe2@2 join2/1 ");
	answer(d, 1, nobody, nobody);
	answer(d, 2, nobody, nobody);
	said(d, "");
	assert_in_range(pause_of(d), 50, 100);
	answer(d, 1, nobody, (struct owner){SELF, 2});
	answer(d, 2, (struct owner){OTHER, 1}, (struct owner){SELF, 3});
	said(d, "claimed2/3>20 ");
	claims_double_free(d);
}

static void a_registry_that_is_whole_is_asked_for_what_is_missing(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 1);
	own(d, 4, 1);
	join(d, 2, 2);
	said(d, "join2/1 ");
	claims_away(d->claims, d->now);
	answer(d, 2, nobody, nobody);
	join(d, 3, 3);
	leave(d, 4, 4);
	pass(d, 2 * CLAIMS_CHECK_MS);
	said(d, "");
	claims_back(d->claims, true, d->now);
	said(d, "join2/1 join3/1 release4 ");
	pass(d, 2 * CLAIMS_BACK_MS);
	said(d, "");
	claims_double_free(d);
}

static void one_that_is_not_is_asked_for_all(void **state)
{
	struct claims_double *d = with_many(MANY);
	unsigned half;

	(void)state;
	claims_back(d->claims, false, d->now);
	assert_int_equal(counts(d).unclaimed, MANY);
	assert_int_equal(d->total, 0);
	for (int i = 0; i < 10; i++) {
		pass(d, CLAIMS_BACK_MS / 20);
		answer_all(d, MANY);
	}
	half = d->total;
	assert_in_range(half, MANY * 4 / 10, MANY * 6 / 10);
	for (int i = 0; i < 10; i++) {
		pass(d, CLAIMS_BACK_MS / 20 + 2);
		answer_all(d, MANY);
	}
	/* Some are checked regularly by now. */
	assert_in_range(d->total, MANY, MANY + 30);
	assert_int_equal(counts(d).unclaimed, 0);
	/* Slow answers slow it down, but nothing is left out. */
	claims_lapsed(d->claims, d->now);
	d->total = 0;
	pass(d, 2 * CLAIMS_BACK_MS);
	assert_in_range(d->total, CLAIMS_FLIGHT, CLAIMS_FLIGHT);
	answer_all(d, MANY);
	assert_in_range(d->total, MANY, MANY + 60);
	claims_double_free(d);
}

static void the_walk_goes_on_where_it_was(void **state)
{
	struct claims_double *d = with_many(MANY);

	(void)state;
	claims_back(d->claims, false, d->now);
	pass(d, CLAIMS_BACK_MS / 4);
	claims_away(d->claims, d->now);
	for (unsigned i = 1; i <= MANY; i++)
		if (d->asked[i])
			answer(d, i, nobody, nobody);
	memset(d->asked, 0, sizeof(d->asked));
	pass(d, CLAIMS_CHECK_MS);
	claims_back(d->claims, true, d->now);
	for (int i = 0; i < 20; i++) {
		pass(d, CLAIMS_BACK_MS / 20);
		answer_all(d, MANY);
	}
	assert_int_equal(counts(d).unclaimed, 0);
	claims_double_free(d);
}

/* Ten devices that are new. */
static void join_ten(struct claims_double *d, unsigned first)
{
	for (unsigned i = first; i < first + 10; i++) {
		join(d, i, 1);
		answer(d, i, nobody, (struct owner){SELF, 1});
		d->asked[i] = 0;
	}
}

static void each_is_checked_once_in_a_round(void **state)
{
	struct claims_double *d = with_many(MANY);
	unsigned busiest = 0, total = 0, checks[2 * MANY] = {0};

	(void)state;
	/* As many come, and the table grows amid the round. */
	for (unsigned i = 0; i < MANY / 10; i++) {
		unsigned before = total;

		pass(d, CLAIMS_CHECK_MS / (MANY / 10));
		for (unsigned k = 1; k < 2 * MANY; k++)
			if (d->asked[k]) {
				d->asked[k] = 0;
				answer(d, k, nobody, (struct owner){SELF, 1});
				checks[k]++;
				total++;
			}
		if (total - before > busiest)
			busiest = total - before;
		if (i < MANY / 10 - 1)
			join_ten(d, MANY + 1 + 10 * i);
	}
	for (unsigned k = 1; k <= MANY; k++)
		assert_in_range(checks[k], 1, 2);
	assert_in_range(total, MANY * 3 / 2 - 100, MANY * 3 / 2 + 200);
	assert_in_range(busiest, 10, 60);
	claims_double_free(d);
}

static void a_device_takes_little_memory(void **state)
{
	struct claims_double *d;

	(void)state;
	devices_bytes = 0;
	d = with_many(100000);
	assert_in_range((devices_bytes + buckets_bytes) / 100000, 50, 120);
	claims_double_free(d);
}

static void without_memory_a_join_is_refused(void **state)
{
	struct claims_double *d = claims_double_new();
	struct claim_conn conn = {1, 1};

	(void)state;
	allocations_left = 0;
	assert_int_equal(claims_joined(d->claims, id_of(1), conn, 0), -1);
	allocations_left = -1;
	assert_false(claims_has(d->claims, id_of(1)));
	assert_int_equal(counts(d).devices, 0);
	said(d, "");
	join(d, 1, 1);
	said(d, "join1/0 ");
	/* What cannot be noted is told once. */
	allocations_left = 0;
	answer(d, 1, (struct owner){OTHER, 3}, (struct owner){SELF, 4});
	allocations_left = -1;
	pass(d, 5 * CLAIMS_REPEAT_MS);
	said(d, "claimed1/4>20 ");
	assert_int_equal(counts(d).unrepeated, 1);
	/* The table may not grow. */
	d->quiet = true;
	for (unsigned i = 2; i < 1000; i++) {
		allocations_left = 1;
		join(d, i, i);
	}
	allocations_left = -1;
	for (unsigned i = 1; i < 1000; i++)
		assert_true(claims_has(d->claims, id_of(i)));
	claims_double_free(d);
}

static void without_memory_there_are_no_claims(void **state)
{
	static const struct claims_calls calls = {0};
	struct claims *claims = NULL;
	int tries = 0;

	(void)state;
	while (!claims && tries < 10) {
		allocations_left = tries++;
		claims = claims_new(SELF, &calls, NULL);
	}
	allocations_left = -1;
	assert_int_equal(tries, 3);
	claims_free(claims);
	claims_free(NULL);
}

static void notes_are_bounded(void **state)
{
	struct claim_notes notes = {0};
	struct note what = {.left = 1};
	struct note *note;
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < NOTES_MOST + 5; i++)
		assert_int_equal(notes_add(&notes, &what, i < 10 ? 5 : 6),
			i < NOTES_MOST ? 0 : -1);
	assert_int_equal(notes.count, NOTES_MOST);
	assert_null(notes_due(&notes, 4));
	while ((note = notes_due(&notes, 5)) != NULL) {
		notes_done(&notes, note, 8);
		done++;
	}
	assert_int_equal(done, 10);
	while ((note = notes_due(&notes, 9)) != NULL) {
		notes_done(&notes, note, 8);
		done++;
	}
	assert_int_equal(done, 2 * NOTES_MOST);
	assert_int_equal(notes.count, 0);
	assert_int_equal(notes_add(&notes, &what, 0), 0);
	notes_finish(&notes);
	assert_null(notes.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_under_way_and_the_rest_waits_in_order),
		cmocka_unit_test(
			a_registry_that_refuses_is_asked_less_and_less),
		cmocka_unit_test(what_was_not_answered_is_asked_again),
		cmocka_unit_test(
			a_registry_that_is_whole_is_asked_for_what_is_missing),
		cmocka_unit_test(one_that_is_not_is_asked_for_all),
		cmocka_unit_test(the_walk_goes_on_where_it_was),
		cmocka_unit_test(each_is_checked_once_in_a_round),
		cmocka_unit_test(a_device_takes_little_memory),
		cmocka_unit_test(without_memory_a_join_is_refused),
		cmocka_unit_test(without_memory_there_are_no_claims),
		cmocka_unit_test(notes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
