/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The TLS handshake of a connection.
 */
#ifndef CONN_HANDSHAKE_H
#define CONN_HANDSHAKE_H

#include <stdbool.h>

struct relay_conn;

/*
 * [W]  Takes the next step of the handshake; the first step makes conn->tls.
 * After the last step it calls conn_open(); after a failure it ends the
 * connection.  Returns whether the step was cut short and another one can be
 * taken at once.  When it is called: see handshakes.h.
 */
bool conn_handshake(struct relay_conn *conn);

#endif
