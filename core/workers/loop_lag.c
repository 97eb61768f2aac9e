/* SPDX-License-Identifier: MPL-2.0 */

/* How late the loops are. */

#include <stdatomic.h>
#include <stdlib.h>

#include <strelaysrv/module.h>

#include "log/log.h"
#include "metrics/metrics.h"
#include "workers/loop_lag.h"
#include "workers/worker_metrics.h"
#include "workers/workers.h"
#include "workers/workers_state.h"

#define INTERVAL_US (LOOP_LAG_BEAT_MS * 1000)
/* The value of beat_us without a timer. */
#define NOT_MEASURED 0
#define LOST         "no memory for a timer: from now on it is not noticed if "

struct lag {
	const struct loop *loop; /* borrowed */
	struct event *timer;     /* owned */
	struct metrics_shard *shard;
	enum worker_loop_label label;
	int64_t due_us;
	_Atomic int64_t beat_us; /* when it was last armed; others read it */
};

static int arm(struct lag *lag)
{
	static const struct timeval interval = {.tv_usec = INTERVAL_US};

	int64_t now_us = loop_clock_us();

	atomic_store_explicit(&lag->beat_us, now_us, memory_order_relaxed);
	lag->due_us = now_us + INTERVAL_US;
	return event_add(lag->timer, &interval);
}

static void fired(evutil_socket_t fd, short what, void *arg)
{
	struct lag *lag = arg;
	int64_t late_us = loop_clock_us() - lag->due_us;

	(void)fd;
	(void)what;
	worker_observe(lag->shard, WORKER_LOOP_LAG, lag->label,
		late_us > 0 ? late_us : 0);
	if (arm(lag) == 0)
		return;
	/* Only the measuring stops. */
	atomic_store_explicit(
		&lag->beat_us, NOT_MEASURED, memory_order_relaxed);
	if (lag->label == WORKER_LOOP_CONTROL)
		log_core(RELAY_WARNING, LOST "the control thread hangs");
	else
		log_core(RELAY_WARNING, LOST "worker %d hangs",
			lag->loop->index);
}

static int make(struct lag *lag, struct loop *loop)
{
	lag->loop = loop;
	lag->timer = evtimer_new(loop->base, fired, lag);
	lag->shard = metrics_shard(loop->index);
	lag->label = loop->index == RELAY_CONTROL ? WORKER_LOOP_CONTROL
						  : WORKER_LOOP_WORKER;
	return lag->timer ? 0 : -1;
}

static int arm_here(struct worker *worker, void *arg)
{
	struct workers_state *room = instance->workers;

	(void)arg;
	return arm(&room->lags[worker->loop.index + 1]);
}

int loop_lag_start(struct loop *control)
{
	struct workers_state *room = instance->workers;
	unsigned workers = workers_count();

	room->lags = calloc(workers + 1, sizeof(*room->lags));
	if (!room->lags)
		return -1;
	room->lag_count = workers + 1;
	if (make(&room->lags[0], control))
		goto error;
	for (unsigned i = 0; i < workers; i++)
		if (make(&room->lags[i + 1], &workers_get(i)->loop))
			goto error;
	if (arm(&room->lags[0]) || workers_call(arm_here, NULL))
		return -1; /* timers may be armed: loop_lag_finish() frees them
			    */
	return 0;

error:
	loop_lag_finish();
	return -1;
}

unsigned loop_lag_count(void)
{
	return instance->workers->lag_count;
}

const struct loop *loop_lag_loop(unsigned i)
{
	return instance->workers->lags[i].loop;
}

int64_t loop_lag_silence_of_ms(unsigned i)
{
	int64_t beat_us = atomic_load_explicit(
		&instance->workers->lags[i].beat_us, memory_order_relaxed);

	return beat_us == NOT_MEASURED ? 0 : (loop_clock_us() - beat_us) / 1000;
}

int64_t loop_lag_silence_ms(unsigned *worker)
{
	int64_t most_ms = 0;

	*worker = 0;
	for (unsigned i = 1; i < loop_lag_count(); i++) {
		int64_t silent_ms = loop_lag_silence_of_ms(i);

		if (silent_ms <= most_ms)
			continue;
		most_ms = silent_ms;
		*worker = i - 1;
	}
	return most_ms;
}

void loop_lag_touch(unsigned i)
{
	struct lag *lag = &instance->workers->lags[i];

	if (atomic_load_explicit(&lag->beat_us, memory_order_relaxed) !=
		NOT_MEASURED)
		atomic_store_explicit(
			&lag->beat_us, loop_clock_us(), memory_order_relaxed);
}

void loop_lag_finish(void)
{
	struct workers_state *room = instance->workers;

	for (unsigned i = 0; i < room->lag_count; i++)
		if (room->lags[i].timer)
			event_free(room->lags[i].timer);
	free(room->lags);
	room->lags = NULL;
	room->lag_count = 0;
}
