/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how much data one direction of a session may hold, and when it
 * stalls. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/stall_judge.h"

#define SECOND     1000
#define MUCH       (7U << 20)
#define IDLE_MS    120000
#define START_MS   1000000
#define NOT_SHORT  (-1)
#define RTT_FAR_US 100000

/* A direction that is checked every second, and the state of its sink. */
struct look {
	struct stall stall;
	struct stall_facts facts;
};

static struct look begun(size_t held)
{
	struct look look = {
		.facts = {.now_ms = START_MS,
			.idle_ms = IDLE_MS,
			.short_ms = NOT_SHORT,
			.acked = 1,
			.rtt_us = 1000,
			.held = held,
			.waits = held},
	};

	assert_int_equal(stall_judge(&look.stall, &look.facts), STALL_GO_ON);
	return look;
}

static enum stall_verdict after(struct look *look, int64_t ms, uint64_t bytes)
{
	look->facts.now_ms += ms;
	look->facts.acked += bytes;
	return stall_judge(&look->stall, &look->facts);
}

static void what_a_path_needs_may_be_held(void **state)
{
	(void)state;
	assert_int_equal(stall_allowed(0, 0), STALL_ALLOWED);
	assert_int_equal(stall_allowed(1000, RTT_FAR_US), STALL_ALLOWED);
	/* 1 Gbit/s over 100 ms has 12.5 MB in transit. */
	assert_true(stall_allowed(125000000, RTT_FAR_US) >= 2 * 12500000);
	/* Late acknowledgements do not raise the limit. */
	assert_int_equal(stall_allowed(125000000, 600000),
		stall_allowed(125000000, 60000000));
	/* A round trip too short to be measured does not lower it. */
	assert_int_equal(
		stall_allowed(1000000000, 0), stall_allowed(1000000000, 1000));
	/* More than 4 GiB. */
	assert_true(stall_allowed(1000000000, 600000) >=
		    stall_allowed(125000000, 600000));
}

static void fast_readers_are_let_alone(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	look.facts.rtt_us = RTT_FAR_US;
	for (int i = 0; i < 60; i++) {
		assert_int_equal(after(&look, SECOND, 125000000), STALL_GO_ON);
		assert_int_equal(look.stall.buffers, 0);
		assert_false(stall_is_watched(&look.stall));
	}
}

static void a_burst_is_not_held_against_it(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	look.facts.rtt_us = RTT_FAR_US;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(after(&look, SECOND, 20000), STALL_GO_ON);
		assert_true(stall_is_watched(&look.stall));
		assert_int_equal(look.stall.buffers, 0);
	}
	after(&look, SECOND, 125000000);
	assert_false(stall_is_watched(&look.stall));
}

static void slow_readers_are_squeezed_and_go_on(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	for (int i = 0; i < 300; i++) {
		assert_int_equal(after(&look, SECOND, 6000), STALL_GO_ON);
		assert_int_equal(look.stall.since_ms, 0);
		if (i >= 2)
			assert_in_range(
				look.stall.buffers, 65536, STALL_ALLOWED / 2);
	}
	/* The limit lasts until the queue has drained, however slowly. */
	look.facts.held = STALL_ALLOWED / 4;
	assert_int_equal(after(&look, SECOND, 1100), STALL_GO_ON);
	assert_int_equal(look.stall.buffers, 0);
}

static void paths_that_need_more_than_can_be_set_keep_it(void **state)
{
	struct look look = begun(MUCH * 2);

	(void)state;
	look.facts.rtt_us = RTT_FAR_US;
	for (int i = 0; i < 10; i++)
		after(&look, SECOND, 4000000);
	assert_true(look.stall.above);
	assert_int_equal(look.stall.buffers, 0);
}

static void a_reader_that_takes_nothing_ends_as_an_idle_session(void **state)
{
	struct look look = begun(MUCH);
	int seconds = 0;

	(void)state;
	while (after(&look, SECOND, 0) == STALL_GO_ON) {
		assert_true(++seconds < 200);
		if (seconds >= 4)
			assert_int_equal(look.stall.buffers, 131072);
	}
	assert_in_range(seconds, 118, 120);
}

/* Seconds until a session ends that had 7 MiB queued when its link became slow;
 * LONGEST: it does not end.  Each byte of data takes two bytes of memory. */
#define LONGEST 7200

static int lasts(uint64_t rate)
{
	struct look look = begun(MUCH);
	int seconds = 0;

	while (seconds < LONGEST && after(&look, SECOND, rate) == STALL_GO_ON) {
		look.facts.held -= look.facts.held > STALL_ALLOWED / 2
					   ? (size_t)rate * 2
					   : 0;
		if (seconds++ >= 5 && look.facts.held > STALL_ALLOWED)
			assert_in_range(
				look.stall.buffers, 1, STALL_ALLOWED / 2);
	}
	return seconds;
}

/* A bad mobile link: a reader that drains its queue in time may stay slow for
 * ever. */
static void honest_slow_readers_are_squeezed_and_never_ended(void **state)
{
	static const uint64_t rates[] = {2500, 3000, 6000, 20000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		assert_int_equal(lasts(rates[i]), LONGEST);
}

/* For hours, and always with a backlog.  What it holds is what the bounds on
 * its buffers allow: both, the pipe, and the last packet in each of two. */
static void steady_slow_readers_are_never_ended(void **state)
{
	static const uint64_t rates[] = {1200, 8000, 64000, 200000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct look look = begun(MUCH);

		for (int seconds = 0; seconds < 4 * LONGEST; seconds++) {
			size_t most = look.stall.buffers
					      ? 3 * look.stall.buffers + 131072
					      : STALL_ALLOWED * 3 / 2;

			/* The first hours are those of another test. */
			if (look.facts.held > STALL_ALLOWED * 3 / 2)
				look.facts.held = STALL_ALLOWED * 3 / 2;
			assert_int_equal(
				after(&look, SECOND, rates[i]), STALL_GO_ON);
			if (look.facts.held > most + rates[i])
				look.facts.held -= rates[i];
			else
				look.facts.held = most;
		}
	}
}

/* At every rate, the session has drained or ended after 26 minutes.  A reader
 * that takes next to nothing is ended soon after one that takes nothing. */
static void who_drains_too_slowly_ends(void **state)
{
	static const uint64_t rates[] = {150, 600, 1200, 2000};
	const int idle = IDLE_MS / SECOND, grace = STALL_GRACE * idle;
	int before = idle - 1;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		bool next_to_nothing = rates[i] < 1000;
		int seconds = lasts(rates[i]);

		assert_in_range(seconds, before, grace + STALL_DRAIN * idle);
		assert_int_equal(seconds < 2 * idle, next_to_nothing);
		assert_int_equal(seconds >= grace, !next_to_nothing);
		before = seconds;
	}
}

/* The reader takes the whole queue at once, though late. */
static void who_drains_in_the_end_goes_on(void **state)
{
	static const uint64_t rates[] = {200, 1200};
	static const int graces[] = {
		IDLE_MS / SECOND, STALL_GRACE * IDLE_MS / SECOND};

	(void)state;
	for (int way = 0; way < 2; way++) {
		struct look look = begun(MUCH);

		for (int i = 0; i < graces[way]; i++)
			assert_int_equal(
				after(&look, SECOND, rates[way]), STALL_GO_ON);
		look.facts.held = STALL_ALLOWED / 4;
		assert_int_equal(after(&look, SECOND, MUCH), STALL_GO_ON);
		/* The next stall has its own time limit. */
		look.facts.held = MUCH;
		for (int i = 0; i < graces[way]; i++)
			assert_int_equal(
				after(&look, SECOND, rates[way]), STALL_GO_ON);
	}
}

/* The reader is slow because of this server's rate limit. */
static void nobody_ends_for_a_rate_limit(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	look.facts.waits = 0;
	for (int i = 0; i < LONGEST; i++)
		assert_int_equal(after(&look, SECOND, 300), STALL_GO_ON);
}

/* The same on a long path: at each look some bytes are in transit. */
static void nor_on_a_path_that_always_carries_some(void **state)
{
	struct look look = begun(6U << 20);

	(void)state;
	look.facts.waits = 200;
	assert_int_equal(after(&look, SECOND, 6U << 20), STALL_GO_ON);
	for (int i = 0; i < 1800; i++) {
		assert_int_equal(after(&look, SECOND, 200), STALL_GO_ON);
		assert_true(i < 3 || look.stall.buffers > 65536);
		look.facts.held -= 2000;
	}
	assert_true(look.facts.held > STALL_ALLOWED);
}

/* A reader that takes next to nothing, and all that waits once in 5 minutes. */
static void a_burst_now_and_then_gives_no_more_time(void **state)
{
	struct look look = begun(MUCH);
	int seconds = 0;

	(void)state;
	look.facts.waits = 100000;
	while (after(&look, SECOND, seconds % 300 ? 200 : 100000) ==
		STALL_GO_ON) {
		look.facts.held -= seconds % 300 ? 400 : 200000;
		assert_true(++seconds < 26 * 60);
	}
	assert_true(seconds >= IDLE_MS / SECOND);
}

/* Slow for an hour, then no progress at all: the hour does not extend the
 * limit. */
static void each_span_is_judged_by_itself(void **state)
{
	struct look look = begun(STALL_ALLOWED);
	int seconds = 0;

	(void)state;
	for (int i = 0; i < 3600; i++)
		assert_int_equal(after(&look, SECOND, 500), STALL_GO_ON);
	while (after(&look, SECOND, 0) == STALL_GO_ON)
		assert_true(++seconds < 300);
	assert_true(seconds <= 240);
}

static void one_that_holds_little_may_stall_as_long_as_it_may_idle(void **state)
{
	struct look look = begun(STALL_ALLOWED);
	int seconds = 0;

	(void)state;
	while (after(&look, SECOND, 0) == STALL_GO_ON)
		assert_true(++seconds < 200);
	assert_in_range(seconds, 118, 120);
}

static void a_byte_now_and_then_is_no_progress(void **state)
{
	struct look look = begun(STALL_ALLOWED);
	enum stall_verdict verdict = STALL_GO_ON;
	int seconds = 0;

	(void)state;
	look.facts.idle_ms = 10 * SECOND;
	for (; verdict == STALL_GO_ON; seconds++) {
		assert_true(seconds < 20);
		verdict = after(&look, SECOND, 1);
	}
	assert_int_equal(verdict, STALL_END_STALLED);
}

/* At each check a few bytes are in transit, but never the same ones. */
static void small_talk_is_no_stall(void **state)
{
	struct look look = begun(50);

	(void)state;
	for (int i = 0; i < 600; i++) {
		assert_int_equal(after(&look, SECOND, 50), STALL_GO_ON);
		assert_false(stall_is_watched(&look.stall));
	}
}

/* Windows open in steps: 400 bytes every 8 s are half of the required rate. */
static void a_burst_now_and_then_is_no_progress(void **state)
{
	struct look look = begun(STALL_ALLOWED);
	enum stall_verdict verdict = STALL_GO_ON;
	int seconds = 0;

	(void)state;
	for (; verdict == STALL_GO_ON; seconds++) {
		assert_true(seconds < 200);
		verdict = after(&look, SECOND, seconds % 8 == 7 ? 400 : 0);
	}
	assert_int_equal(verdict, STALL_END_STALLED);
}

static void who_reads_again_stalls_no_more(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(after(&look, SECOND, 0), STALL_GO_ON);
	look.facts.held = 200000;
	assert_int_equal(after(&look, SECOND, MUCH), STALL_GO_ON);
	assert_false(stall_is_watched(&look.stall));
}

static void what_does_not_wait_does_not_stall(void **state)
{
	struct look look = begun(0);

	(void)state;
	look.facts.waits = 0;
	for (int i = 0; i < 200; i++)
		assert_int_equal(after(&look, SECOND, 0), STALL_GO_ON);
	assert_false(stall_is_watched(&look.stall));
}

/* Seconds of a memory shortage until a session ends that makes progress and
 * holds this much. */
static int borne(size_t held)
{
	struct look look = begun(held);
	int seconds = 0;

	for (look.facts.short_ms = 0;
		after(&look, SECOND, 20000) == STALL_GO_ON;
		look.facts.short_ms += SECOND)
		if (++seconds > 60)
			return seconds;
	return seconds;
}

static void those_that_hold_most_go_first_when_memory_is_short(void **state)
{
	struct look look = begun(MUCH);

	(void)state;
	look.facts.short_ms = 0;
	/* It is limited at once, and ended later. */
	assert_int_equal(after(&look, SECOND, 20000), STALL_GO_ON);
	assert_true(look.stall.buffers);
	assert_in_range(borne(MUCH), 5, 7);
	assert_true(borne(MUCH) < borne(STALL_ALLOWED + 1));
	assert_true(borne(STALL_ALLOWED + 1) < borne(STALL_ALLOWED / 4));
	assert_true(borne(STALL_ALLOWED / 4) < 15);
	assert_true(borne(STALL_LEAST - 1) > 60);
}

/* A direction that had stalled for some seconds when the shortage began. */
static struct look stalled(size_t held)
{
	struct look look = begun(held);

	for (int i = 0; i < 10; i++)
		assert_int_equal(after(&look, SECOND, 0), STALL_GO_ON);
	assert_true(stall_is_long(&look.stall));
	look.facts.short_ms = 0;
	return look;
}

static void of_stalled_ones_those_of_the_fullest_source_go_first(void **state)
{
	struct look one = stalled(STALL_ALLOWED), other = stalled(MUCH);

	(void)state;
	one.facts.above_share = true;
	assert_int_equal(after(&one, SECOND, 0), STALL_END_PRESSURE);
	assert_int_equal(after(&other, SECOND, 0), STALL_GO_ON);
}

static void then_the_largest_as_many_as_needed(void **state)
{
	struct look small = stalled(STALL_ALLOWED / 4);
	struct look large = stalled(STALL_ALLOWED);

	(void)state;
	small.facts.short_ms = large.facts.short_ms = 5 * SECOND;
	small.facts.stalled_most = large.facts.stalled_most = STALL_ALLOWED / 2;
	assert_int_equal(after(&large, SECOND, 0), STALL_END_PRESSURE);
	assert_int_equal(after(&small, SECOND, 0), STALL_GO_ON);
}

/* A stall of a second does not end a session. */
static void nobody_goes_for_a_short_stall(void **state)
{
	struct look look = begun(STALL_ALLOWED);

	(void)state;
	look.facts.short_ms = 5 * SECOND;
	look.facts.above_share = true;
	assert_int_equal(after(&look, SECOND, 0), STALL_GO_ON);
	assert_true(look.stall.since_ms);
	assert_false(stall_is_long(&look.stall));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_path_needs_may_be_held),
		cmocka_unit_test(fast_readers_are_let_alone),
		cmocka_unit_test(a_burst_is_not_held_against_it),
		cmocka_unit_test(slow_readers_are_squeezed_and_go_on),
		cmocka_unit_test(paths_that_need_more_than_can_be_set_keep_it),
		cmocka_unit_test(
			a_reader_that_takes_nothing_ends_as_an_idle_session),
		cmocka_unit_test(
			honest_slow_readers_are_squeezed_and_never_ended),
		cmocka_unit_test(steady_slow_readers_are_never_ended),
		cmocka_unit_test(who_drains_too_slowly_ends),
		cmocka_unit_test(who_drains_in_the_end_goes_on),
		cmocka_unit_test(nobody_ends_for_a_rate_limit),
		cmocka_unit_test(nor_on_a_path_that_always_carries_some),
		cmocka_unit_test(a_burst_now_and_then_gives_no_more_time),
		cmocka_unit_test(each_span_is_judged_by_itself),
		cmocka_unit_test(
			one_that_holds_little_may_stall_as_long_as_it_may_idle),
		cmocka_unit_test(a_byte_now_and_then_is_no_progress),
		cmocka_unit_test(small_talk_is_no_stall),
		cmocka_unit_test(a_burst_now_and_then_is_no_progress),
		cmocka_unit_test(who_reads_again_stalls_no_more),
		cmocka_unit_test(what_does_not_wait_does_not_stall),
		cmocka_unit_test(
			those_that_hold_most_go_first_when_memory_is_short),
		cmocka_unit_test(
			of_stalled_ones_those_of_the_fullest_source_go_first),
		cmocka_unit_test(then_the_largest_as_many_as_needed),
		cmocka_unit_test(nobody_goes_for_a_short_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
