/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How one set of addresses follows another.
 *
 * What is staged is bound beside what serves.  Once opened, it accepts; once
 * taken, it replaces what served before.  An address of both sets keeps its
 * sockets with their queues.
 */
#ifndef LISTENERS_CHANGE_H
#define LISTENERS_CHANGE_H

#include <stdint.h>

#include <strelaysrv/err.h>

struct worker;

/*
 * [C]  Binds what is new of `texts`: NULL-terminated, "HOST:PORT", ":PORT",
 * "[v6]:PORT"; protocol: enum core_protocol.  relay_listen_address() tells of
 * the staged set from here on.  0, or -1 with err naming the address, and then
 * nothing is staged.
 */
int listeners_stage(
	const char *const *texts, int64_t protocol, struct relay_err *err);
/* [C]  What is new begins to accept.  0, or -1 with err: abandon it. */
int listeners_open(struct relay_err *err);
/* Own thread: accepts all who wait at addresses that are not in the staged set,
 * and closes its sockets of them. */
void listeners_leave(struct worker *worker);
/* [C]  The staged set replaces the other.  Logs what came and went. */
void listeners_take(void);
/* [C]  Nothing is staged, and the set is what it was. */
void listeners_abandon(void);

#endif
