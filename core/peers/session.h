/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The course of a session; all of this is [W].
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

struct relay_session;
struct worker;

/* An event on one of its connections; what: libevent's EV_ flags. */
void session_event(struct relay_session *session, int side, short what);
/* Deferred work: moves bytes of those that session_turns_add() was called for.
 */
bool sessions_run(struct worker *worker);
/*
 * The server stops: passes on what has reached it by now, tells both sides that
 * nothing follows, and ends.  May end it before it returns.
 */
void session_wind_up(struct relay_session *session);

#endif
