/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The pump: moves one flow's bytes, up to a bound in each call.
 */
#ifndef PUMP_H
#define PUMP_H

#include <stdbool.h>

struct relay_session;

enum pump_state {
	PUMP_IDLE,   /* waits for an event */
	PUMP_MORE,   /* the bound was reached; more can be done at once */
	PUMP_PAUSED, /* nothing is granted before flow.resume_ms */
	PUMP_BROKEN, /* a side was reset */
	PUMP_FAILED, /* the server is out of memory */
};

/* The most bytes of one call, so that a session does not delay the others. */
#define PUMP_BOUND (1U << 20)

/* Moves bytes from conn[from] to conn[1 - from]. */
enum pump_state pump_run(struct relay_session *session, int from);
/* Calls socket_memory_fit() for the sink, if the flow has been in bulk. */
void pump_fit(struct relay_session *session, int from);
/* Releases the flow's pipe and tail.  True: bytes in them were lost. */
bool pump_drop(struct relay_session *session, int from);

#endif
