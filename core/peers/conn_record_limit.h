/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Bounds TLS records without data, after the handshake.
 *
 * A peer can ask for new keys (RFC 8446, 4.6.3) with 27 bytes.  The server
 * needs fifty times the CPU time of the peer for them, and no module sees the
 * request.  Real peers send one in a million records, or never.
 */
#ifndef CONN_RECORD_LIMIT_H
#define CONN_RECORD_LIMIT_H

#include <stdbool.h>

struct relay_conn;

/* The most in each minute of the clock; Go allows 16 between two records with
 * data. */
#define CONN_RECORD_LIMIT 32

/* [W]  Counts one more.  Returns whether there were too many; then it is
 * logged. */
bool conn_record_limit_reached(struct relay_conn *conn);

#endif
