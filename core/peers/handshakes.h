/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Handshakes: limits the worker's time that they take.
 *
 * A handshake costs a thousand times what a session's message does, and after a
 * restart all devices connect at once.  So a worker does handshakes in short
 * time slices, and polls its sockets in between.  The other handshakes wait,
 * and their sources take turns, see strangers.h.
 */
#ifndef HANDSHAKES_H
#define HANDSHAKES_H

#include <stdbool.h>

struct relay_conn;
struct worker;

/* Runs the next step of conn's handshake now or in a later loop iteration. */
void handshakes_step(struct relay_conn *conn);
/* Deferred work: takes steps of waiting handshakes, for one time slice.
 * Returns whether some still wait. */
bool handshakes_run(struct worker *worker);

#endif
