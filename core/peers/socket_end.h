/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a connection's socket is closed, so that the kernel does not go on
 * holding what its peer never takes: such an orphan is in no bound.
 *
 * All of this is [W].
 */
#ifndef SOCKET_END_H
#define SOCKET_END_H

#include <stdbool.h>

#include <strelaysrv/hooks.h>

struct relay_conn;

enum close_by {
	CLOSE_BY_TIME,  /* an end like any other; the kernel's attempts to
			 * deliver it are bounded in time */
	CLOSE_BY_RESET, /* what the peer has not taken is dropped */
	CLOSE_BY_LEAVE, /* another process goes on with it: change nothing */
};

/* Bytes that the peer's kernel has not acknowledged; an end does not count. */
int socket_owes(int fd);

/*
 * Whether the peer has broken off; what came before may be unread.  libevent
 * tells this apart from no other event.
 */
bool socket_broken(int fd);

/* How one that ends for this reason, and does not linger, is to be closed. */
enum close_by socket_end_by(
	const struct relay_conn *conn, enum relay_reason reason);

/* Closes its socket as conn->close_by says. */
void socket_end(struct relay_conn *conn);

#endif
