/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reading and writing of a connection; all of this is [W].
 */
#ifndef CONN_IO_H
#define CONN_IO_H

#include <stddef.h>

struct relay_conn;

/* Sends what is queued.  1: all of it was sent, 0: not yet, -1: failed. */
int conn_flush(struct relay_conn *conn);
/*
 * For sessions.  Detaches the queued bytes, which the pump sends first: the
 * caller owns *data; NULL: nothing is queued.
 */
void conn_take_queue(
	struct relay_conn *conn, unsigned char **data, size_t *len);

#endif
