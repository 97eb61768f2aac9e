/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A peer's ClientHello, and the end of those whose handshake fails.
 *
 * Nothing is held for a peer whose ClientHello is not complete but the
 * connection itself and what is in its socket.
 */
#ifndef CONN_HELLO_H
#define CONN_HELLO_H

#include <stdbool.h>

#include <strelaysrv/conn.h>

#include "tls/tls_failure.h"

/*
 * [W]  Whether the next step of its handshake may be taken, now that something
 * has arrived.  Ends it if what has arrived cannot be taken.  Each call looks
 * once: a peer that sends nothing more is not looked at again, and its deadline
 * stays.
 */
bool conn_hello_ready(struct relay_conn *conn);
/* [W]  The same after a step that left something in the socket, or nothing. */
bool conn_hello_more(struct relay_conn *conn);
/* [W]  Counts, logs and ends it.  `why` is for the log. */
void conn_handshake_failed(struct relay_conn *conn, enum tls_failure kind,
	enum relay_reason reason, const char *why);

#endif
