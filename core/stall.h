/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions whose reader stalls: one that takes next to nothing of what waits
 * for it must not make the kernel hold much for long.
 *
 * All of this is [W], at the looks of session.c, not in any transfer.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

struct relay_session;

/* Of one direction. */
struct stall {
	uint64_t acked; /* by the sink, as of the last look */
	int64_t looked_ms;
	int64_t since_ms; /* what waits has hardly moved; 0: it moves */
	bool squeezed;    /* its buffers are small until it moves again */
};

/*
 * Looks at a direction for which the kernel holds `held` bytes, and bounds what
 * more it may hold.  False: the session must end, for *why.
 */
bool stall_look(struct relay_session *session, int from, size_t held,
	enum relay_reason *why);

/* The session ends: no direction of it stalls any more. */
void stall_forget(struct relay_session *session);

#endif
