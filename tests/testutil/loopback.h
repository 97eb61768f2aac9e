/* SPDX-License-Identifier: MPL-2.0 */

/* loopback.h - measures a session with both ends in this process. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <stdint.h>

#include <event2/event.h>

struct loopback;

struct loopback_handlers {
	/* The shortest of several round trips. */
	void (*round_trip)(int64_t best_us, void *arg);
	/* Success: the throughput over about a second.  May free it. */
	void (*throughput)(int64_t bytes_per_s, int64_t took_us, void *arg);
	/* Failure.  May free it. */
	void (*failed)(const char *what, void *arg);
};

/*
 * Owns both sockets from now on, also on failure.  It fails if data arrives
 * changed, or if none arrives for timeout_ms. handlers are borrowed.  NULL: no
 * memory, or the session has ended already.
 */
struct loopback *loopback_start(struct event_base *base, int one, int other,
	int64_t timeout_ms, const struct loopback_handlers *handlers,
	void *arg);
/* NULL is allowed. */
void loopback_free(struct loopback *loopback);

#endif
