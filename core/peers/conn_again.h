/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that are read again in the next iteration of the loop.
 */
#ifndef CONN_AGAIN_H
#define CONN_AGAIN_H

struct relay_conn;

/* [W]  Puts the connection on the worker's list `again`, see conns_run_again().
 * Does nothing if it is on the list already. */
void conn_again_add(struct relay_conn *conn);

#endif
