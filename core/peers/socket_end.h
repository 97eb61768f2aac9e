/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Closes a connection's socket, so that the kernel does not go on holding bytes
 * that the peer never takes: no bound of the server includes them.
 *
 * All of this is [W].
 */
#ifndef SOCKET_END_H
#define SOCKET_END_H

#include <stdbool.h>

#include <strelaysrv/hooks.h>

struct relay_conn;

enum close_by {
	CLOSE_BY_TIME,  /* a usual close; the kernel tries to deliver the rest
			 * for a bounded time */
	CLOSE_BY_RESET, /* the kernel drops what the peer has not taken */
	CLOSE_BY_LEAVE, /* another process serves it: change nothing */
};

/* Bytes that the peer's kernel has not acknowledged; a FIN does not count. */
int socket_owes(int fd);
/* Bytes that the peer has sent and nobody has read; -1: unknown. */
int socket_unread(int fd);

/*
 * Whether the connection was reset or is closed both ways; bytes that came
 * before may be unread.  libevent's events do not tell this.
 */
bool socket_broken(int fd);

/* How to close a connection that ends for this reason and does not linger. */
enum close_by socket_end_by(
	const struct relay_conn *conn, enum relay_reason reason);

/* Closes its socket as conn->close_by says. */
void socket_end(struct relay_conn *conn);

#endif
