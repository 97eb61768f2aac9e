/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The pump: moves one flow's bytes, bounded for each call.
 */
#ifndef PUMP_H
#define PUMP_H

#include <stdbool.h>

struct relay_session;

enum pump_state {
	PUMP_IDLE,   /* waits for an event */
	PUMP_HUNGRY, /* the bound was reached; more can be done at once */
	PUMP_PAUSED, /* nothing is granted before flow.resume_ms */
	PUMP_BROKEN, /* a side was reset */
	PUMP_FAILED, /* the server's own trouble */
};

/* The bytes of one call, so that one session does not keep others waiting. */
#define PUMP_BOUND (1U << 20)

/* Moves bytes from conn[from] to conn[1 - from]. */
enum pump_state pump_run(struct relay_session *session, int from);
/* For a flow that has been in bulk: see socket_memory_fit(). */
void pump_fit(struct relay_session *session, int from);
/* Lets go of what the flow holds.  True: bytes are lost. */
bool pump_drop(struct relay_session *session, int from);

#endif
