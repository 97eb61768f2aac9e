/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How the server takes over a new connection; all of this is [W].
 */
#ifndef CONN_ACCEPT_H
#define CONN_ACCEPT_H

#include <stddef.h>

struct listener_facts;
struct sockaddr_storage;
struct worker;

/*
 * Takes over an accepted, non-blocking socket that capacity_enter_or_evict()
 * has counted.  Closes it when a module refuses it or memory is short.  Shares
 * `facts`, those of its listener.  `to`: where a proxy says that the client
 * came in; NULL: the socket knows.
 */
void conn_accept(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	struct listener_facts *facts);
/* The same, for a connection from which another process has read these bytes.
 */
void conn_accept_read(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	const void *data, size_t len);

#endif
