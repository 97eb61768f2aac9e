/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A peer's ClientHello, and the end of a connection whose handshake fails.
 *
 * Until the ClientHello is complete, the server holds nothing for a peer except
 * the connection itself and what is in its socket.
 */
#ifndef CONN_HELLO_H
#define CONN_HELLO_H

#include <stdbool.h>

#include <strelaysrv/conn.h>

#include "tls/tls_failure.h"

/*
 * [W]  Call it when bytes have arrived.  Returns whether the next step of the
 * handshake may be taken.  Ends the connection if the bytes are not accepted.
 * Each call looks at the socket once, and does not change the deadline.
 */
bool conn_hello_ready(struct relay_conn *conn);
/* [W]  The same after a step that was cut short; the socket may be empty. */
bool conn_hello_more(struct relay_conn *conn);
/* [W]  Counts and logs the failure, and ends the connection.  `why` is for the
 * log. */
void conn_handshake_failed(struct relay_conn *conn, enum tls_failure kind,
	enum relay_reason reason, const char *why);

#endif
