/* SPDX-License-Identifier: MPL-2.0 */

/* Calls at a constant rate, even if the server is slow. */

#include <event2/event.h>

#include "steady.h"

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct steady *steady = arg;

	(void)fd;
	(void)what;
	if (*steady->over)
		return;
	evtimer_add(&steady->tick, &steady->every);
	steady->begin(steady->arg);
}

void steady_start(struct steady *steady, struct event_base *base,
	int64_t every_ms, const bool *over, void (*begin)(void *arg), void *arg)
{
	steady->every = (struct timeval){(time_t)(every_ms / 1000),
		(suseconds_t)(every_ms % 1000 * 1000)};
	steady->over = over;
	steady->begin = begin;
	steady->arg = arg;
	evtimer_assign(&steady->tick, base, tick, steady);
	evtimer_add(&steady->tick, &steady->every);
}

void steady_stop(struct steady *steady)
{
	evtimer_del(&steady->tick);
}
