/* SPDX-License-Identifier: MPL-2.0 */

/* Each worker has one timer, which runs all kinds of deferred work. */

#include <stddef.h>

#include "loop/event_later.h"
#include "workers/deferred.h"
#include "workers/worker.h"

/*
 * A timer with a delay of 0, not an active event: libevent polls the sockets
 * before it runs timers, so what has arrived meanwhile is handled first.
 */
void deferred_arm(struct worker *worker)
{
	static const struct timeval now = {0, 0};

	if (!evtimer_pending(worker->deferred_timer, NULL))
		event_later(worker->deferred_timer, &now);
}

static void run(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	bool more = false;

	(void)fd;
	(void)what;
	loop_tick(&worker->loop);
	for (deferred_fn *const *fn = worker->deferred->fn; *fn; fn++)
		more |= (*fn)(worker);
	if (more)
		deferred_arm(worker);
	loop_event_over(&worker->loop);
}

int deferred_init(struct worker *worker, const struct deferred_work *work)
{
	worker->deferred = work;
	worker->deferred_timer = evtimer_new(worker->loop.base, run, worker);
	return worker->deferred_timer ? 0 : -1;
}

void deferred_finish(struct worker *worker)
{
	if (worker->deferred_timer)
		event_free(worker->deferred_timer);
	worker->deferred_timer = NULL;
}
