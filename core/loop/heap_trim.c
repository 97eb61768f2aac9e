/* SPDX-License-Identifier: MPL-2.0 */

/* Returns memory to the system after a burst of handshakes. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/instance.h"
#include "loop/heap_return.h"
#include "loop/heap_trim.h"

#define INTERVAL_S 1
/* Fewer handshakes free too little memory to be worth a malloc_trim(). */
#define BURST 50
/* An interval with fewer handshakes than this is calm.  In others the allocator
 * reuses the freed memory at once. */
#define CALM 10
/* After this many intervals memory is returned, even if the last was not calm.
 */
#define INTERVALS_MAX 30

struct loop_state {
	struct event *timer; /* owned */
	atomic_uint_fast64_t noted;
	uint64_t seen, trimmed; /* `noted` at the last interval and trim; [C] */
	unsigned passed;        /* intervals since memory was returned; [C] */
};

int heap_trim_create(void)
{
	instance->loop = calloc(1, sizeof(*instance->loop));
	return instance->loop ? 0 : -1;
}

void heap_trim_destroy(void)
{
	free(instance->loop);
	instance->loop = NULL;
}

void heap_trim_note(void)
{
	atomic_fetch_add_explicit(
		&instance->loop->noted, 1, memory_order_relaxed);
}

static void fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_state *trim = arg;
	uint64_t now = atomic_load_explicit(&trim->noted, memory_order_relaxed);
	bool calm = now - trim->seen < CALM;

	(void)fd;
	(void)what;
	trim->seen = now;
	trim->passed++;
	if (now - trim->trimmed < BURST ||
		(!calm && trim->passed < INTERVALS_MAX))
		return;
	trim->trimmed = now;
	trim->passed = 0;
	heap_return();
}

int heap_trim_start(struct loop *control)
{
	static const struct timeval interval = {.tv_sec = INTERVAL_S};
	struct loop_state *trim = instance->loop;

	trim->timer = event_new(control->base, -1, EV_PERSIST, fired, trim);
	return trim->timer && event_add(trim->timer, &interval) == 0 ? 0 : -1;
}

void heap_trim_finish(void)
{
	if (instance->loop->timer)
		event_free(instance->loop->timer);
	instance->loop->timer = NULL;
}
