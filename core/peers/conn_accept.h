/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How the server takes over a new connection; all of this is [W].
 */
#ifndef CONN_ACCEPT_H
#define CONN_ACCEPT_H

#include <stddef.h>

struct listener_facts;
struct relay_conn;
struct sockaddr_storage;
struct worker;

/*
 * Takes over an accepted, non-blocking socket that capacity_enter_or_evict()
 * has counted.  Closes it when a module refuses it or memory is short.  Shares
 * `facts`, those of its listener.  `to`: where a proxy says that the client
 * came in; NULL: the socket knows.  NULL: the connection is closed, or has
 * ended.
 */
struct relay_conn *conn_accept(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	struct listener_facts *facts);
/* Another process has read these bytes of it.  NULL is allowed. */
void conn_give_read(struct relay_conn *conn, const void *data, size_t len);

#endif
