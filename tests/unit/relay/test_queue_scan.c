/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how much of a full table one step looks at. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/requests/queue_scan.h"

#define LATER   INT64_C(1000000000)
#define QUEUES  64
#define EACH    1024
#define WAITING (QUEUES * EACH)

/* A table of the largest size, and what one step has cost. */
static struct fixture {
	struct pending_table table;
	struct queue_scan scan;
	int64_t now_ms;
	unsigned compared, queues;
	unsigned seen[QUEUES];
} fixture;

static unsigned action(struct fixture *f, const uint8_t *target)
{
	struct action action;
	unsigned compared = 0;

	do {
		pending_schedule(
			&f->table, target, true, false, f->now_ms, &action);
		compared += action.compared;
	} while (action.kind > ACTION_WAIT);
	return compared;
}

static unsigned act_counted(void *arg, const uint8_t *target)
{
	struct fixture *f = arg;
	unsigned compared = action(f, target);

	f->compared += compared;
	f->queues++;
	f->seen[target[0]]++;
	return compared;
}

static void add(struct fixture *f, unsigned number)
{
	static const struct source nowhere;
	uint8_t asker[ID_LEN] = {0}, target[ID_LEN] = {0};
	uint8_t key[2][ID_LEN];
	struct place lost[2];

	memcpy(asker + 1, &number, sizeof(number));
	target[0] = (uint8_t)(number % QUEUES);
	target[ID_LEN - 1] = 't';
	assert_int_equal(pending_add(&f->table, asker, target, &nowhere, LATER,
				 0, key, lost),
		PENDING_ROOM);
}

/* Each queue has sent one, and waits for a time with the others. */
static void fill(struct fixture *f, unsigned count)
{
	uint8_t target[ID_LEN] = {[ID_LEN - 1] = 't'};

	for (unsigned i = 0; i < count; i++)
		add(f, i);
	for (unsigned i = 0; i < QUEUES; i++) {
		target[0] = (uint8_t)i;
		action(f, target);
	}
}

static int set_up(void **state)
{
	static const struct pending_bounds bounds = {.all = WAITING};

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	if (id_hash_init() || pending_init(&fixture.table))
		return -1;
	pending_bound(&fixture.table, &bounds);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pending_finish(&f->table);
	return 0;
}

static int64_t step(struct fixture *f)
{
	f->compared = f->queues = 0;
	return scan_step(&f->scan, &f->table, act_counted, f);
}

static void a_step_looks_at_few_and_a_scan_at_all(void **state)
{
	struct fixture *f = *state;
	unsigned steps = 0;
	int64_t next_ms;

	fill(f, WAITING);
	assert_int_equal(pending_active(&f->table), QUEUES);
	do {
		next_ms = step(f);
		assert_true(f->queues > 0);
		/* Each queue may send, and is then looked at once more. */
		assert_true(f->compared <= SCAN_COMPARED + 2 * EACH);
		assert_true(++steps <= QUEUES);
	} while (next_ms == SCAN_STEP_MS);
	assert_int_equal(next_ms, SCAN_MS);
	for (unsigned i = 0; i < QUEUES; i++)
		assert_int_equal(f->seen[i], 1);
}

static void few_queues_are_one_step(void **state)
{
	struct fixture *f = *state;

	fill(f, 2 * QUEUES);
	assert_int_equal(step(f), SCAN_MS);
	assert_int_equal(f->queues, QUEUES);
}

static void no_queue_needs_no_step(void **state)
{
	assert_int_equal(step(*state), 0);
}

static void what_has_expired_goes_in_pieces(void **state)
{
	struct fixture *f = *state;
	int64_t next_ms;
	unsigned left = 4 * PENDING_EXPIRE_MOST;

	fill(f, left);
	while (left) {
		assert_int_equal(pending_expire(&f->table, LATER, &next_ms),
			PENDING_EXPIRE_MOST);
		left -= PENDING_EXPIRE_MOST;
		assert_int_equal(pending_sessions(&f->table), left);
		assert_true((next_ms <= LATER) == (left > 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_step_looks_at_few_and_a_scan_at_all, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			few_queues_are_one_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			no_queue_needs_no_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_has_expired_goes_in_pieces, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
