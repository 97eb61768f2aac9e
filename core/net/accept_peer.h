/* SPDX-License-Identifier: MPL-2.0 */

/*
 * accept(2), also where accept4(2) is missing.
 */
#ifndef ACCEPT_PEER_H
#define ACCEPT_PEER_H

#include <sys/socket.h>

/*
 * Accepts a connection as a descriptor that is non-blocking and closed on exec.
 * -1 with errno.
 */
int accept_peer(int listener, struct sockaddr *from, socklen_t *len);

/* Whether this process can accept connections at all.  0, or an errno: the call
 * is missing or forbidden. */
int accept_peer_try(void);

#endif
