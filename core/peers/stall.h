/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions whose reader takes less than what is held for it calls for: what the
 * kernel holds for them is bounded, as stall_judge.h says.
 *
 * All of this is [W], called by session_watch.c from time to time, not for each
 * transfer.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/hooks.h>

#include "net/stall_judge.h"

struct relay_session;

/*
 * Looks at a direction for which the kernel holds `held` bytes, and bounds what
 * more it may hold.  False: the session must end, for *why.
 */
bool stall_look(struct relay_session *session, int from, size_t held,
	enum relay_reason *why);

/* The session ends: no direction of it stalls any more. */
void stall_forget(struct relay_session *session);

#endif
