/* SPDX-License-Identifier: MPL-2.0 */

#include <event2/event.h>

#include "shared/standing_timer.h"

/* Libevent needs memory to add a timer, but none to move one that is pending.
 * This is how long one that is not set takes. */
#define FAR_S (24 * 60 * 60)

static void fired(evutil_socket_t fd, short what, void *arg)
{
	struct standing_timer *timer = arg;

	(void)fd;
	(void)what;
	standing_timer_set(timer, -1);
	timer->due(timer->arg);
}

static int set(struct standing_timer *timer, int64_t ms)
{
	const struct timeval far = {.tv_sec = FAR_S};
	const struct timeval after = {.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	return event_add(timer->event, ms < 0 ? &far : &after);
}

int standing_timer_open(struct standing_timer *timer, struct event_base *base,
	standing_timer_fn *due, void *arg)
{
	*timer = (struct standing_timer){.due = due, .arg = arg};
	timer->event = event_new(base, -1, EV_PERSIST, fired, timer);
	return timer->event ? set(timer, -1) : -1;
}

void standing_timer_set(struct standing_timer *timer, int64_t ms)
{
	(void)set(timer, ms);
}

void standing_timer_close(struct standing_timer *timer)
{
	if (timer->event)
		event_free(timer->event);
	timer->event = NULL;
}
