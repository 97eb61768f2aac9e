/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meeting.h - two clients with the same token: from a whole line to a session.
 *
 * The second one moves to the worker of the first.  It has taken the first out
 * of the table, so nobody else finds that one meanwhile; whichever of both ends
 * before they meet, the other one looks again.  [W]
 */
#ifndef MEETING_H
#define MEETING_H

#include "wormhole-transit/data.h"

/* Its line is whole, and nothing follows it. */
void meeting_begin(struct relay_ctx *cx, struct relay_conn *conn);
/* Frees its waiter. */
void meeting_forget(struct relay_ctx *cx, struct client *client);
/* Who was to meet the client there has ended. */
void meeting_failed(struct relay_ctx *cx, struct place other);

#endif
