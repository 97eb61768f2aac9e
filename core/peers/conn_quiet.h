/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS records that bring no data, after the handshake.
 *
 * New keys (RFC 8446, 4.6.3) cost the server fifty times what the 27 bytes that
 * ask for them cost the peer, and no module sees them.  Real peers ask for them
 * once in a million records, or never.
 */
#ifndef CONN_QUIET_H
#define CONN_QUIET_H

#include <stdbool.h>

struct relay_conn;

/* In a minute of the clock; Go allows 16 between two records with data. */
#define CONN_QUIET_MOST 32

/* [W]  One more was read.  Whether it is one too many; then it is logged. */
bool conn_quiet_too_often(struct relay_conn *conn);

#endif
