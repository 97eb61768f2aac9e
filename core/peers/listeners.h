/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The addresses that the server listens on, and how one set of them follows
 * another: every worker has a socket of each (SO_REUSEPORT).
 *
 * What is staged is bound beside what serves; opened, it accepts; taken, it is
 * all there is.  An address of both sets keeps its sockets with their queues.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stdint.h>

#include <strelaysrv/err.h>

#include "net/inherited.h"

struct worker;

/*
 * [C]  Binds what is new of `texts`: NULL-terminated, "HOST:PORT", ":PORT",
 * "[v6]:PORT"; protocol: enum peer_protocol.  relay_listen_address() tells of
 * the staged set from here on.  0, or -1 with err naming the address, and then
 * nothing is staged.
 */
int listeners_stage(
	const char *const *texts, int64_t protocol, struct relay_err *err);
/* [C]  What is new begins to accept.  0, or -1 with err: abandon it. */
int listeners_open(struct relay_err *err);
/* Own thread: takes in all who wait where nobody listens any longer. */
void listeners_leave(struct worker *worker);
/* [C]  The staged set is the set.  Logs what came and went. */
void listeners_take(void);
/* [C]  Nothing is staged, and the set is what it was. */
void listeners_abandon(void);

/*
 * An address that is no longer configured, but whose sockets the process was
 * started with: they are served until this is called, since others may still
 * hold them open.  [C]
 */
void listeners_leave_rest(void);

/* Own thread: nobody is accepted until it is resumed.  0 or -1. */
void listeners_pause(struct worker *worker);
int listeners_resume(struct worker *worker);
/* [C]  Calls fn for every socket, until one returns other than 0. */
typedef int listeners_socket_fn(enum inherited_use use, int fd, void *arg);
int listeners_each(listeners_socket_fn *fn, void *arg);

/* Own thread: ends to accept, for good. */
void listeners_close(struct worker *worker);
/* [C]  After that on all workers. */
void listeners_finish(void);

#endif
