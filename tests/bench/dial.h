/* SPDX-License-Identifier: MPL-2.0 */

/* dial.h - outgoing connections, from many loopback addresses. */
#ifndef DIAL_H
#define DIAL_H

#include "bench.h"

/* Starts to connect to bench->server.  Returns a non-blocking socket, or -1
 * with errno set.  It is writable when connected or failed: see dial_error().
 */
int dial(struct bench *bench);

/* The same to another address. */
int dial_to(struct bench *bench, const struct sockaddr_in *server);

/* 0 once connected, or the errno of what went wrong. */
int dial_error(int fd);

#endif
