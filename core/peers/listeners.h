/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The sockets of all addresses that the server listens on.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include "net/inherited.h"

struct worker;

/* Own thread: while paused, the worker accepts no connections.  0 or -1. */
void listeners_pause(struct worker *worker);
int listeners_resume(struct worker *worker);
/* [C]  Calls fn for every socket, until one returns other than 0. */
typedef int listeners_socket_fn(enum inherited_use use, int fd, void *arg);
int listeners_each(listeners_socket_fn *fn, void *arg);

/* Own thread: closes the worker's sockets. */
void listeners_close(struct worker *worker);
/* [C]  Frees what is left, after listeners_close() for all workers. */
void listeners_finish(void);

#endif
