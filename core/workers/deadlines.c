/* SPDX-License-Identifier: MPL-2.0 */

/* Each worker has one libevent timer, armed for the next entry of its timer
 * wheel. */

#include <stdatomic.h>
#include <stddef.h>

#include "base/time_span.h"
#include "loop/event_later.h"
#include "workers/deadlines.h"
#include "workers/worker.h"

/*
 * A timer that fires so late was held up, as by a machine that slept.  Then
 * many events wait, of which libevent handles some in each turn, and answers of
 * others come late: they get this time, but a loop that is always late gets it
 * seldom.
 */
#define STALL_MS        300
#define AFTER_STALL_MS  1000
#define STALL_SELDOM_MS 10000

static void call_due(struct wheel_entry *entry, void *arg)
{
	struct deadline *deadline = (struct deadline *)entry;

	(void)arg;
	deadline->due(deadline);
}

static void arm_wheel(struct worker *worker)
{
	int64_t now = atomic_load_explicit(
		&worker->loop.turn_ms, memory_order_relaxed);
	int64_t next = wheel_next_ms(&worker->wheel);
	struct timeval wait;

	if (next < 0 || next >= worker->wheel_due_ms || worker->wheel_to_ms)
		return;
	worker->wheel_due_ms = next > now ? next : now;
	wait = time_span_val(worker->wheel_due_ms - now);
	event_later(worker->wheel_timer, &wait);
}

/* What has come by now, from peers and other threads, is read first. */
static void wait_a_turn(struct worker *worker, int64_t now_ms)
{
	bool stalled = now_ms - worker->wheel_due_ms >= STALL_MS &&
		       now_ms >= worker->wheel_stall_ms;
	struct timeval wait = time_span_val(stalled ? AFTER_STALL_MS : 0);

	if (stalled)
		worker->wheel_stall_ms = now_ms + STALL_SELDOM_MS;
	worker->wheel_to_ms = now_ms;
	event_later(worker->wheel_timer, &wait);
}

static void call_what_was_due(struct worker *worker)
{
	int64_t to_ms = worker->wheel_to_ms;

	worker->wheel_to_ms = 0;
	worker->wheel_due_ms = INT64_MAX;
	wheel_advance(&worker->wheel, to_ms, call_due, NULL);
	arm_wheel(worker);
}

static void wheel_turns(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	int64_t now_ms = loop_tick(&worker->loop);

	(void)fd;
	(void)what;
	if (worker->wheel_to_ms)
		call_what_was_due(worker);
	else
		wait_a_turn(worker, now_ms);
	loop_event_over(&worker->loop);
}

void deadline_set(
	struct worker *worker, struct deadline *deadline, int64_t at_ms)
{
	wheel_add(&worker->wheel, &deadline->entry, at_ms);
	if (at_ms < worker->wheel_due_ms)
		arm_wheel(worker);
}

void deadline_clear(struct worker *worker, struct deadline *deadline)
{
	wheel_del(&worker->wheel, &deadline->entry);
}

int deadlines_init(struct worker *worker)
{
	wheel_init(&worker->wheel, loop_clock_ms());
	worker->wheel_due_ms = INT64_MAX;
	worker->wheel_timer =
		event_new(worker->loop.base, -1, 0, wheel_turns, worker);
	return worker->wheel_timer ? 0 : -1;
}

void deadlines_expire(struct worker *worker)
{
	wheel_advance(&worker->wheel, INT64_MAX - 1, call_due, NULL);
}

void deadlines_finish(struct worker *worker)
{
	if (worker->wheel_timer)
		event_free(worker->wheel_timer);
	worker->wheel_timer = NULL;
}
