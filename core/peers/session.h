/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Runs sessions: their events, the forwarding of their bytes, and their
 * end; all of this is [W].
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

struct relay_session;
struct worker;

/* An event on one of its connections; what: libevent's EV_ flags. */
void session_event(struct relay_session *session, int side, short what);
/* Deferred work: moves the bytes of the sessions that session_queue_add() has
 * added. */
bool sessions_run(struct worker *worker);
/*
 * When the server stops: passes on the bytes that have arrived by now, closes
 * both directions, and ends the session, maybe before it returns.
 */
void session_wind_up(struct relay_session *session);

#endif
