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

#include <stdint.h>

#include <event2/event.h>

#include <strelaysrv/server.h>

/* Nothing happens until drain_begin().  0, or -1 without memory. */
int drain_init(struct event_base *base);
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
