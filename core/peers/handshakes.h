/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Handshakes: the share of a worker's time that they may take.
 *
 * A handshake costs a thousand times what a session's message does, and after a
 * restart all devices come at once.  So a worker does handshakes for a short
 * time only before it looks at its sockets again; the rest waits, and those who
 * wait take turns by source, see strangers.h.
 */
#ifndef HANDSHAKES_H
#define HANDSHAKES_H

#include <stdbool.h>

struct relay_conn;
struct worker;

/* Runs the next step of conn's handshake now or in a later turn. */
void handshakes_step(struct relay_conn *conn);
/* Deferred work: the steps of those that wait, within the share of one
 * iteration.  Whether some still wait. */
bool handshakes_run(struct worker *worker);

#endif
