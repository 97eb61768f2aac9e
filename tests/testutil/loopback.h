/* SPDX-License-Identifier: MPL-2.0 */

/*
 * loopback.h - measures a session both ends of which are here.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <stdint.h>

#include <event2/event.h>

struct loopback;

struct loopback_handlers {
	/* The best of some rounds there and back. */
	void (*round_trip)(int64_t best_us, void *arg);
	/* The end: for about a second, as fast as it goes.  May free it. */
	void (*throughput)(int64_t bytes_per_s, int64_t took_us, void *arg);
	/* Or this end.  May free it. */
	void (*failed)(const char *what, void *arg);
};

/* Takes both sockets over, also on failure.  What came through changed, or
 * nothing for timeout_ms, is a failure.  handlers are borrowed.  NULL: no
 * memory, or a session that is gone already. */
struct loopback *loopback_start(struct event_base *base, int one, int other,
	int64_t timeout_ms, const struct loopback_handlers *handlers,
	void *arg);
/* NULL is fine. */
void loopback_free(struct loopback *loopback);

#endif
