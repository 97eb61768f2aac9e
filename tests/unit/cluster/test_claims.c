/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of claims: joins, leaves, results, and what other nodes say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "claims_double.h"

static const struct owner nobody = {0, 0};

static struct owner ours(uint64_t epoch)
{
	return (struct owner){SELF, epoch};
}

static struct owner theirs(uint64_t epoch)
{
	return (struct owner){OTHER, epoch};
}

static void told_claimed(
	struct claims_double *d, unsigned device, uint64_t epoch)
{
	claims_told_claimed(d->claims, OTHER, id_of(device), epoch, d->now);
}

static void told_alive(struct claims_double *d, unsigned device, uint64_t epoch)
{
	claims_told_alive(d->claims, OTHER, id_of(device), epoch, d->now);
}

static void seen(struct claims_double *d, unsigned device, uint64_t conn)
{
	struct claim_conn at = {1, conn};

	assert_int_equal(claims_seen(d->claims, id_of(device), at, d->now), 0);
}

/* The device is here with epoch 5 and connection 1, and is asked for a check.
 */
static struct claims_double *with_check(void)
{
	struct claims_double *d = claims_double_new();

	own(d, 1, 5);
	told_claimed(d, 1, 4);
	said(d, "check1/5 ");
	return d;
}

static void a_join_is_claimed_at_once(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	assert_false(claims_has(d->claims, id_of(1)));
	join(d, 1, 7);
	said(d, "join1/0 ");
	assert_true(claims_has(d->claims, id_of(1)));
	assert_int_equal(counts(d).unclaimed, 1);
	answer(d, 1, nobody, ours(1));
	assert_int_equal(counts(d).devices, 1);
	assert_int_equal(counts(d).unclaimed, 0);
	assert_int_equal(counts(d).claims, 1);
	/* An answer that nobody waits for. */
	answer(d, 1, nobody, theirs(3));
	answer(d, 2, nobody, ours(3));
	claims_double_free(d);
}

static void a_leave_releases_what_may_be_stored(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	leave(d, 1, 1);
	said(d, "release1 ");
	assert_false(claims_has(d->claims, id_of(1)));
	/* One that has never reached the registry. */
	d->claim = -1;
	join(d, 2, 2);
	said(d, "join2/5 ");
	leave(d, 2, 2);
	leave(d, 2, 2);
	pass(d, 10000);
	assert_int_equal(counts(d).devices, 0);
	claims_double_free(d);
}

static void a_leave_waits_for_the_claim_under_way(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 7);
	leave(d, 1, 7);
	said(d, "join1/0 ");
	answer(d, 1, nobody, ours(1));
	said(d, "release1 ");
	/* Another one has it by now: nothing to release. */
	join(d, 1, 7);
	leave(d, 1, 7);
	said(d, "join1/1 ");
	answer(d, 1, ours(1), theirs(2));
	said(d, "");
	/* It is not known whether the claim has reached the registry. */
	join(d, 1, 7);
	leave(d, 1, 7);
	said(d, "join1/2 ");
	answer(d, 1, nobody, nobody);
	said(d, "");
	pass(d, 200);
	said(d, "release1 ");
	/* It was taken from one that may be there still. */
	join(d, 1, 7);
	leave(d, 1, 7);
	said(d, "join1/2 ");
	answer(d, 1, theirs(3), ours(4));
	said(d, "claimed1/4>20 release1 ");
	claims_double_free(d);
}

static void a_refused_release_is_tried_again(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	own(d, 2, 5);
	d->release = -1;
	leave(d, 1, 1);
	leave(d, 2, 2);
	said(d, "release1 ");
	d->release = 0;
	/* It comes again: what waits is a claim now. */
	join(d, 2, 3);
	pass(d, 200);
	said(d, "release1 join2/5 ");
	answer(d, 2, ours(5), ours(6));
	assert_int_equal(counts(d).devices, 1);
	claims_double_free(d);
}

static void leave_and_join_may_cross(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	join(d, 1, 7);
	said(d, "join1/5 ");
	leave(d, 1, 1);
	assert_true(claims_has(d->claims, id_of(1)));
	/* The same number on another worker is another connection. */
	claims_left(d->claims, id_of(1), (struct claim_conn){2, 7}, d->now);
	assert_true(claims_has(d->claims, id_of(1)));
	answer(d, 1, ours(5), ours(6));
	said(d, "");
	claims_double_free(d);
}

static void a_join_amid_a_claim_is_claimed_again(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 7);
	join(d, 1, 8);
	said(d, "join1/0 ");
	answer(d, 1, theirs(3), ours(4));
	said(d, "claimed1/4>20 join1/4 ");
	answer(d, 1, ours(4), ours(5));
	/* After a leave, and after an answer that says otherwise. */
	join(d, 1, 9);
	leave(d, 1, 9);
	join(d, 1, 10);
	said(d, "join1/5 ");
	answer(d, 1, ours(5), theirs(6));
	said(d, "join1/6 ");
	answer(d, 1, theirs(6), ours(7));
	said(d, "claimed1/7>20 ");
	assert_int_equal(counts(d).unclaimed, 0);
	claims_double_free(d);
}

static void the_former_owner_is_told_three_times(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 7);
	answer(d, 1, theirs(4), ours(5));
	said(d, "join1/0 claimed1/5>20 ");
	pass(d, CLAIMS_REPEAT_MS - 1);
	said(d, "");
	pass(d, 1);
	said(d, "claimed1/5>20 ");
	pass(d, CLAIMS_REPEAT_MS);
	said(d, "claimed1/5>20 ");
	pass(d, 2 * CLAIMS_REPEAT_MS);
	said(d, "");
	/* Also a node that is not known to live: its lease may be late. */
	d->lives = false;
	join(d, 2, 7);
	answer(d, 2, theirs(4), ours(6));
	said(d, "join2/5 claimed2/6>20 ");
	pass(d, CLAIMS_REPEAT_MS);
	said(d, "claimed2/6>20 ");
	claims_double_free(d);
}

static void nothing_is_told_while_the_registry_is_away(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 7);
	answer(d, 1, theirs(4), ours(5));
	said(d, "join1/0 claimed1/5>20 ");
	claims_away(d->claims, d->now);
	pass(d, 5 * CLAIMS_REPEAT_MS);
	said(d, "");
	claims_back(d->claims, true, d->now);
	pass(d, 2 * CLAIMS_REPEAT_MS);
	said(d, "claimed1/5>20 claimed1/5>20 ");
	claims_double_free(d);
}

/* That there was a newer one stays true when it has left; that the older one
 * lives does not. */
static void what_is_repeated_may_have_left(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 7);
	answer(d, 1, theirs(4), ours(5));
	leave(d, 1, 7);
	said(d, "join1/0 claimed1/5>20 release1 ");
	own(d, 2, 6);
	told_claimed(d, 2, 7);
	probed(d, 2, 2, true);
	answer(d, 2, theirs(7), ours(8));
	leave(d, 2, 2);
	said(d, "probe2@2 join2/7 alive2/7>20 release2 ");
	pass(d, CLAIMS_REPEAT_MS);
	said(d, "claimed1/5>20 claimed2/8>20 ");
	pass(d, CLAIMS_REPEAT_MS);
	said(d, "claimed1/5>20 claimed2/8>20 ");
	/* A claim that was still under way is told of like that, too. */
	join(d, 1, 7);
	leave(d, 1, 7);
	answer(d, 1, theirs(9), ours(10));
	said(d, "join1/8 claimed1/10>20 release1 ");
	pass(d, CLAIMS_REPEAT_MS);
	said(d, "claimed1/10>20 ");
	claims_double_free(d);
}

static void a_newer_claim_makes_ours_show_that_it_lives(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	told_claimed(d, 1, 6);
	told_claimed(d, 1, 6); /* a doubled one */
	said(d, "probe1@1 ");
	probed(d, 1, 9, false); /* of another connection */
	said(d, "");
	probed(d, 1, 1, false);
	said(d, "end1@1 release1 ");
	assert_false(claims_has(d->claims, id_of(1)));
	assert_int_equal(counts(d).replaced, 1);
	leave(d, 1, 1);
	probed(d, 1, 1, true);
	told_claimed(d, 1, 6);
	claims_double_free(d);
}

static void one_that_lives_is_defended(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	told_claimed(d, 1, 6);
	probed(d, 1, 1, true);
	said(d, "probe1@1 join1/6 ");
	probed(d, 1, 1, false); /* nobody has asked */
	told_claimed(d, 1, 6);  /* repeated */
	said(d, "");
	answer(d, 1, theirs(6), ours(7));
	said(d, "alive1/6>20 ");
	assert_int_equal(counts(d).defended, 1);
	pass(d, 5 * CLAIMS_REPEAT_MS);
	said(d, "alive1/6>20 alive1/6>20 ");
	/* If the newcomer has left meanwhile, nobody is told. */
	told_claimed(d, 1, 8);
	probed(d, 1, 1, true);
	said(d, "probe1@1 join1/8 ");
	answer(d, 1, nobody, ours(9));
	said(d, "");
	/* It is asked itself if it came after the sign of life. */
	told_claimed(d, 1, 10);
	probed(d, 1, 1, true);
	answer(d, 1, theirs(11), ours(12));
	said(d, "probe1@1 join1/10 claimed1/12>20 ");
	/* Nor is a sign of life from before a pause of use. */
	told_claimed(d, 1, 13);
	d->claim = -1;
	probed(d, 1, 1, true);
	said(d, "probe1@1 join1/13 ");
	d->claim = 0;
	pass(d, 200);
	answer(d, 1, theirs(13), ours(14));
	said(d, "join1/13 claimed1/14>20 ");
	claims_double_free(d);
}

static void a_new_connection_proves_nothing(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	told_claimed(d, 1, 6);
	said(d, "probe1@1 ");
	join(d, 1, 2);
	probed(d, 1, 2, false); /* it was not asked */
	said(d, "join1/6 ");
	answer(d, 1, theirs(6), ours(7));
	said(d, "claimed1/7>20 ");
	claims_double_free(d);
}

static void an_answer_may_come_after_the_end(void **state)
{
	struct claims_double *d = with_check();

	(void)state;
	told_claimed(d, 1, 6);
	probed(d, 1, 1, false);
	said(d, "probe1@1 end1@1 ");
	answer(d, 1, theirs(6), theirs(6));
	said(d, "");
	assert_int_equal(counts(d).devices, 0);
	claims_double_free(d);
}

static void an_older_claim_is_looked_into(void **state)
{
	struct claims_double *d = with_check();

	(void)state;
	told_claimed(d, 1, 4);
	said(d, "");
	answer(d, 1, ours(5), ours(5));
	/* The same epoch: the higher incarnation has it. */
	told_claimed(d, 1, 5);
	said(d, "probe1@1 ");
	probed(d, 1, 1, true);
	answer(d, 1, theirs(5), ours(6));
	said(d, "join1/5 alive1/5>20 ");
	claims_told_claimed(d->claims, SELF - 1, id_of(1), 6, d->now);
	said(d, "check1/6 ");
	answer(d, 1, (struct owner){SELF - 1, 6}, ours(6));
	said(d, "claimed1/6>9 ");
	/* Never from ourselves. */
	claims_told_claimed(d->claims, SELF, id_of(1), 9, d->now);
	claims_told_alive(d->claims, SELF, id_of(1), 9, d->now);
	claims_double_free(d);
}

static void a_newcomer_ends_if_the_former_lives(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	told_alive(d, 1, 4); /* of an older connection */
	told_alive(d, 2, 5);
	said(d, "");
	told_alive(d, 1, 5);
	said(d, "end1@1 ");
	assert_false(claims_has(d->claims, id_of(1)));
	/* It has joined again: the old message is not for that. */
	join(d, 1, 2);
	told_alive(d, 1, 5);
	said(d, "join1/5 ");
	answer(d, 1, theirs(6), ours(7));
	said(d, "claimed1/7>20 ");
	/* One of a claim that is not known here. */
	told_alive(d, 1, 8);
	said(d, "check1/7 ");
	answer(d, 1, ours(7), ours(7));
	told_alive(d, 1, 7);
	said(d, "end1@2 ");
	claims_double_free(d);
}

/* What is told while a claim is under way may be of a later one. */
static void a_claim_may_be_old_when_its_answer_comes(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	join(d, 1, 1);
	told_claimed(d, 1, 7);
	answer(d, 1, nobody, ours(6));
	said(d, "join1/0 probe1@1 ");
	probed(d, 1, 1, true);
	told_claimed(d, 1, 7); /* repeated */
	answer(d, 1, theirs(7), ours(8));
	said(d, "join1/7 alive1/7>20 ");
	/* The one that lives has told that before the answer. */
	join(d, 1, 2);
	told_alive(d, 1, 9);
	answer(d, 1, theirs(8), ours(9));
	said(d, "join1/8 probe1@2 claimed1/9>20 ");
	/* An earlier one, and one of an earlier connection. */
	join(d, 1, 3);
	told_claimed(d, 1, 10);
	told_alive(d, 1, 10);
	answer(d, 1, ours(9), ours(11));
	said(d, "join1/9 ");
	join(d, 1, 4);
	join(d, 1, 5);
	told_claimed(d, 1, 14);
	answer(d, 1, ours(11), ours(12));
	said(d, "join1/11 join1/14 ");
	answer(d, 1, ours(12), ours(15));
	said(d, "");
	claims_double_free(d);
}

static void a_probe_that_cannot_be_asked_is_repeated(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	d->probe = -1;
	told_claimed(d, 1, 6);
	said(d, "probe1@1 ");
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "probe1@1 ");
	d->probe = 0;
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "probe1@1 ");
	assert_int_equal(counts(d).delayed, 2);
	probed(d, 1, 1, true);
	answer(d, 1, theirs(6), ours(7));
	said(d, "join1/6 alive1/6>20 ");
	/* It is not asked any more when it has left, or there is a new one. */
	own(d, 2, 8);
	own(d, 3, 8);
	d->probe = -1;
	told_claimed(d, 2, 9);
	told_claimed(d, 3, 9);
	said(d, "probe2@2 probe3@3 ");
	leave(d, 2, 2);
	join(d, 3, 4);
	said(d, "release2 join3/9 ");
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "");
	claims_double_free(d);
}

static void an_end_that_cannot_be_told_is_repeated(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	d->end = -1;
	told_claimed(d, 1, 6);
	probed(d, 1, 1, false);
	said(d, "probe1@1 end1@1 ");
	/* It is here, but nobody finds it, and nothing is claimed for it. */
	assert_int_equal(counts(d).devices, 1);
	assert_int_equal(counts(d).unclaimed, 1);
	assert_int_equal(counts(d).replaced, 0);
	told_claimed(d, 1, 6);
	told_claimed(d, 1, 4);
	claims_missed(d->claims, id_of(1));
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "end1@1 ");
	d->end = 0;
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "end1@1 release1 ");
	assert_int_equal(counts(d).devices, 0);
	assert_int_equal(counts(d).replaced, 1);
	/* Not the next connection. */
	own(d, 1, 7);
	d->end = -1;
	told_alive(d, 1, 7);
	join(d, 1, 2);
	said(d, "end1@1 join1/7 ");
	pass(d, CLAIMS_AGAIN_MS * 3 / 2);
	said(d, "");
	claims_double_free(d);
}

static void a_recount_finds_what_was_not_told(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	own(d, 2, 5);
	own(d, 3, 5);
	own(d, 4, 5);
	told_claimed(d, 4, 6);
	said(d, "probe4@4 ");
	claims_recount(d->claims);
	seen(d, 1, 1);
	seen(d, 3, 7); /* another connection */
	seen(d, 4, 4);
	seen(d, 5, 5);
	said(d, "join3/6 join5/6 ");
	claims_recounted(d->claims, d->now);
	said(d, "probe4@4 release2 ");
	assert_false(claims_has(d->claims, id_of(2)));
	assert_int_equal(counts(d).devices, 4);
	/* What was told after all has no effect. */
	leave(d, 2, 2);
	leave(d, 3, 3);
	said(d, "");
	/* One that was begun and not ended neither. */
	claims_recount(d->claims);
	claims_recount(d->claims);
	for (unsigned i = 1; i < 6; i++)
		if (i != 2)
			seen(d, i, i == 3 ? 7 : i);
	claims_recounted(d->claims, d->now);
	said(d, "probe4@4 ");
	assert_int_equal(counts(d).devices, 4);
	claims_double_free(d);
}

static void a_check_finds_what_was_lost(void **state)
{
	struct claims_double *d = with_check();

	(void)state;
	answer(d, 1, ours(5), ours(5));
	assert_int_equal(counts(d).healed, 0);
	told_claimed(d, 1, 4);
	answer(d, 1, nobody, ours(5));
	said(d, "check1/5 ");
	assert_int_equal(counts(d).healed, 1);
	/* An entry that is older than ours. */
	told_claimed(d, 1, 4);
	answer(d, 1, theirs(3), ours(5));
	said(d, "check1/5 claimed1/5>20 ");
	assert_int_equal(counts(d).healed, 2);
	/* Our own claim, whose answer was lost. */
	told_claimed(d, 1, 4);
	answer(d, 1, ours(6), ours(6));
	told_claimed(d, 1, 4);
	said(d, "check1/5 check1/6 ");
	claims_double_free(d);
}

static void a_check_finds_another_owner(void **state)
{
	struct claims_double *d = with_check();

	(void)state;
	answer(d, 1, theirs(6), theirs(6));
	said(d, "probe1@1 ");
	assert_int_equal(counts(d).unclaimed, 1);
	probed(d, 1, 1, true);
	answer(d, 1, theirs(6), ours(7));
	said(d, "join1/6 alive1/6>20 ");
	assert_int_equal(counts(d).unclaimed, 0);
	/* One that does not live counts for nothing. */
	told_claimed(d, 1, 4);
	d->lives = false;
	answer(d, 1, theirs(9), theirs(9));
	said(d, "check1/7 join1/9 ");
	/* A registry that does not even then make it ours is asked later. */
	answer(d, 1, theirs(9), theirs(9));
	said(d, "");
	assert_int_equal(counts(d).unclaimed, 1);
	pass(d, CLAIMS_CHECK_MS);
	said(d, "alive1/6>20 alive1/6>20 check1/7 ");
	claims_double_free(d);
}

static void epochs_rise_above_all_that_was_heard(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	told_claimed(d, 2, 90);
	told_alive(d, 2, 80);
	join(d, 2, 2);
	said(d, "join2/90 ");
	/* One that is beyond reason counts for its device only. */
	answer(d, 2, nobody, ours(CLAIMS_EPOCH_SANE));
	join(d, 3, 3);
	said(d, "join3/90 ");
	told_claimed(d, 2, 4);
	said(d, "check2/281474976710656 ");
	claims_double_free(d);
}

static void a_missed_device_has_no_entry(void **state)
{
	struct claims_double *d = claims_double_new();

	(void)state;
	own(d, 1, 5);
	claims_missed(d->claims, id_of(2));
	said(d, "release2 ");
	/* It was not told that it has left. */
	d->probe = -1;
	claims_missed(d->claims, id_of(1));
	d->probe = 0;
	claims_missed(d->claims, id_of(1));
	claims_missed(d->claims, id_of(1));
	said(d, "probe1@1 probe1@1 ");
	probed(d, 1, 1, false);
	said(d, "end1@1 release1 ");
	claims_double_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_join_is_claimed_at_once),
		cmocka_unit_test(a_leave_releases_what_may_be_stored),
		cmocka_unit_test(a_leave_waits_for_the_claim_under_way),
		cmocka_unit_test(a_refused_release_is_tried_again),
		cmocka_unit_test(leave_and_join_may_cross),
		cmocka_unit_test(a_join_amid_a_claim_is_claimed_again),
		cmocka_unit_test(the_former_owner_is_told_three_times),
		cmocka_unit_test(nothing_is_told_while_the_registry_is_away),
		cmocka_unit_test(what_is_repeated_may_have_left),
		cmocka_unit_test(a_newer_claim_makes_ours_show_that_it_lives),
		cmocka_unit_test(one_that_lives_is_defended),
		cmocka_unit_test(a_new_connection_proves_nothing),
		cmocka_unit_test(an_answer_may_come_after_the_end),
		cmocka_unit_test(an_older_claim_is_looked_into),
		cmocka_unit_test(a_newcomer_ends_if_the_former_lives),
		cmocka_unit_test(a_claim_may_be_old_when_its_answer_comes),
		cmocka_unit_test(a_probe_that_cannot_be_asked_is_repeated),
		cmocka_unit_test(an_end_that_cannot_be_told_is_repeated),
		cmocka_unit_test(a_recount_finds_what_was_not_told),
		cmocka_unit_test(a_check_finds_what_was_lost),
		cmocka_unit_test(a_check_finds_another_owner),
		cmocka_unit_test(epochs_rise_above_all_that_was_heard),
		cmocka_unit_test(a_missed_device_has_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
