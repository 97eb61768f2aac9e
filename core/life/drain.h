/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Draining, a graceful shutdown: the server accepts no new devices, and ends
 * when its last session has ended.
 *
 * SIGUSR1 begins it (RELAY_DRAIN_LEAVE), or a new process that has taken over
 * (RELAY_DRAIN_MOVE).  The hook `drain` tells modules, which tell the peers.
 * All is [C].
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include <strelaysrv/server.h>

/* The callbacks from drain.c to the upgrade, which includes this header. */
struct drain_owner {
	/* Whether the process must not end yet, even without sessions. */
	bool (*held)(void);
	/* The last session has ended, or drain-timeout has passed. */
	void (*ended)(void);
};

/* Borrows owner.  Nothing happens until drain_begin().  0, or -1 without
 * memory. */
int drain_init(struct event_base *base, const struct drain_owner *owner);
void drain_finish(void);

/* During a drain this changes its kind; drain-timeout still counts from the
 * first call. */
void drain_begin(enum relay_drain how);
/* The server accepts new devices again. */
void drain_call_off(void);

/* What the drain waits for: sessions, and what the hooks `drain` returned. */
int64_t drain_left(void);
/* How much time is left until drain-timeout, in ms; -1: there is no time limit,
 * or no drain. */
int64_t drain_left_ms(void);

#endif
