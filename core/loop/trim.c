/* SPDX-License-Identifier: MPL-2.0 */

/* Gives memory back to the system after a storm of handshakes. */

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "loop/trim.h"

#define INTERVAL_S 1
/* Fewer leave too little behind to look for. */
#define STORM 50
/* In one interval; while more come, the memory is in use again at once. */
#define CALM 10
/* But not all of it, if it was never calm for so many intervals. */
#define PATIENCE 30

static struct event *timer; /* owned */
static atomic_uint_fast64_t given_back;
static uint64_t seen, trimmed; /* of the counter; [C] */
static unsigned passed;        /* intervals since the last time; [C] */

void trim_note(void)
{
	atomic_fetch_add_explicit(&given_back, 1, memory_order_relaxed);
}

static void fired(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = atomic_load_explicit(&given_back, memory_order_relaxed);
	bool calm = now - seen < CALM;

	(void)fd;
	(void)what;
	(void)arg;
	seen = now;
	passed++;
	if (now - trimmed < STORM || (!calm && passed < PATIENCE))
		return;
	trimmed = now;
	passed = 0;
	malloc_trim(0);
}

int trim_start(struct loop *control)
{
	static const struct timeval interval = {.tv_sec = INTERVAL_S};

	timer = event_new(control->base, -1, EV_PERSIST, fired, NULL);
	return timer && event_add(timer, &interval) == 0 ? 0 : -1;
}

void trim_finish(void)
{
	if (timer)
		event_free(timer);
	timer = NULL;
}
