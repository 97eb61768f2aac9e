/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that are read again in the next iteration of the loop.
 */
#ifndef CONN_REREAD_H
#define CONN_REREAD_H

struct relay_conn;

/* [W]  Puts the connection on the worker's list `reread`, see conns_reread().
 * Does nothing if it is on the list already. */
void conn_reread_add(struct relay_conn *conn);

#endif
