/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Lingering connections: they are closed for modules, but their sockets stay
 * open, and count towards the server's limits, until the peers have taken the
 * last bytes or are too slow.
 *
 * All of this is [W].
 */
#ifndef LINGER_H
#define LINGER_H

#include <stdbool.h>

#include <strelaysrv/hooks.h>

struct relay_conn;

/*
 * Whether a connection that ends for this reason should linger: it has bytes to
 * deliver, and its peer can take them.
 */
bool linger_wanted(const struct relay_conn *conn, enum relay_reason reason);
/* Puts it in CONN_LINGERING; linger() is the next step.  -1: no place is left
 * for it, and nothing is changed. */
int linger_begin(struct relay_conn *conn);
/* Takes the next step, at an event.  May destroy the connection. */
void linger(struct relay_conn *conn);

#endif
