/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Checks a session periodically: whether it is idle, how much kernel memory it
 * holds, and whether a side has ended without an event.
 */
#ifndef SESSION_WATCH_H
#define SESSION_WATCH_H

struct deadline;
struct relay_session;

/* What session->watch calls when it is due. */
void session_watch_due(struct deadline *deadline);
/* [W]  Sets the time of the next check. */
void session_watch(struct relay_session *session);
/* [W]  Sets it again, on another worker. */
void session_watch_again(struct relay_session *session);

#endif
