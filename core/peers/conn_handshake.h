/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The TLS handshake of a connection.
 */
#ifndef CONN_HANDSHAKE_H
#define CONN_HANDSHAKE_H

#include <stdbool.h>

struct relay_conn;

/*
 * [W]  Takes the next step, for which it makes the TLS side first; see
 * handshakes.h for when it is called.  Opens the connection after the last one,
 * ends it after a failure.  Returns whether the step was cut short, and another
 * one can be taken at once.
 */
bool conn_handshake(struct relay_conn *conn);

#endif
