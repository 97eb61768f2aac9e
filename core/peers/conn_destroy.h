/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The last step of a connection's life; all of this is [W].
 */
#ifndef CONN_DESTROY_H
#define CONN_DESTROY_H

struct relay_conn;
struct worker;

/* Releases all that the connection owns; conn_reap() frees its memory. */
void conn_destroy(struct relay_conn *conn);
/*
 * At the end of every event: frees the connections that ended in it.  Nothing
 * may use them afterwards.
 */
void conn_reap(struct worker *worker);

#endif
