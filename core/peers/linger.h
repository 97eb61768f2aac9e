/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that are closed to modules and whose last bytes are on their way:
 * they stay in the server's hands, and so within its bounds, until their peers
 * have taken these bytes or are too slow.
 *
 * All of this is [W].
 */
#ifndef LINGER_H
#define LINGER_H

#include <stdbool.h>

#include <strelaysrv/hooks.h>

struct relay_conn;

/*
 * Whether there is anybody to deliver last bytes to, and anything to deliver,
 * of a connection that ends for this reason.  False also where too many of the
 * worker's connections linger.
 */
bool linger_wanted(const struct relay_conn *conn, enum relay_reason reason);
/* Puts it in that state; linger() is the next step. */
void linger_begin(struct relay_conn *conn);
/* The next step, at an event.  May destroy it. */
void linger(struct relay_conn *conn);

#endif
