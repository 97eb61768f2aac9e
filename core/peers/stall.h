/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions whose reader is too slow for what the kernel holds for it: their
 * kernel memory is bounded, see stall_judge.h.
 *
 * All of this is [W].  session_watch.c calls it; transfers do not.
 */
#ifndef STALL_H
#define STALL_H

#include <stdbool.h>

#include <strelaysrv/hooks.h>

#include "net/stall_judge.h"

struct relay_conn;
struct relay_session;

/*
 * Checks a direction, after session_memory_weigh(), and limits what more it may
 * hold.  False: the session must end, for *why.
 */
bool stall_look(
	struct relay_session *session, int from, enum relay_reason *why);

/* Whether the send buffer of this direction's sink is bounded. */
bool stall_bounds_sink(const struct relay_session *session, int from);

/* Whether a lingering connection that holds `held` bytes must end since memory
 * is short.  It counts as if it had stalled for long. */
bool stall_conn_gives_way(const struct relay_conn *reader, size_t held);

/* The session ends: its directions no longer count as stalled or squeezed. */
void stall_forget(struct relay_session *session);

#endif
