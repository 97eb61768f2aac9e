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
#include <stdint.h>

struct relay_conn;
struct worker;

struct handshakes {
	int64_t since_us; /* begin of the span that spent_us counts */
	int64_t spent_us;
};

/* Runs the next step of conn's handshake now or in a later turn. */
void handshakes_step(struct relay_conn *conn);
/* The same in a later turn, for one whose step was cut short. */
void handshakes_later(struct relay_conn *conn);
/* Once a turn.  Whether more is to be done. */
bool handshakes_run(struct worker *worker);

#endif
