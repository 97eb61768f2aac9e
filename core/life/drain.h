/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Draining: the server takes no newcomers and ends with its last session.
 *
 * Two things begin it: SIGUSR1 (RELAY_DRAIN_LEAVE), and a new process that has
 * taken over (RELAY_DRAIN_MOVE).  What it means to peers is the modules' part:
 * they are told by their hook `drain`.  All is [C].
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include <strelaysrv/server.h>

/* Who is told of the end. */
struct drain_owner {
	/* Whether it must not end yet, whatever sessions there are. */
	bool (*held)(void);
	/* The last session has ended, or the time is over. */
	void (*ended)(void);
};

/* Nothing happens until drain_begin().  0, or -1 without memory. */
int drain_init(struct event_base *base, const struct drain_owner *owner);
void drain_finish(void);

/* Accepts one that has begun: then the time goes on from its begin. */
void drain_begin(enum relay_drain how);
/* Newcomers are welcome again. */
void drain_call_off(void);

/* What is still waited for: sessions, and what modules told. */
int64_t drain_left(void);
/* How long from now, in ms, until it ends all the same; -1: for ever. */
int64_t drain_left_ms(void);

#endif
