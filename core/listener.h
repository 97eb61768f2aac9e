/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets: every worker has one of each address (SO_REUSEPORT).
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdint.h>

#include <strelaysrv/err.h>

struct worker;

/*
 * [C]  Binds every address for every worker.  `addresses`: NULL-terminated,
 * "HOST:PORT", ":PORT", "[v6]:PORT"; protocol: enum core_protocol.  All or
 * nothing: 0, or -1 with err naming the address.
 */
int listeners_bind(
	const char *const *addresses, int64_t protocol, struct relay_err *err);
/* [C]  From here on the kernel queues connections. */
int listeners_listen(struct relay_err *err);
/* Own thread: begin and end to accept.  0 or -1. */
int listeners_accept(struct worker *worker);
void listeners_close(struct worker *worker);
/* [C]  Frees the list of addresses. */
void listeners_finish(void);

#endif
