/* SPDX-License-Identifier: MPL-2.0 */

/*
 * dial.h - a TCP connection to a host, by name or address, in time.
 */
#ifndef DIAL_H
#define DIAL_H

#include "client_state.h"

struct dial;

struct dial_handlers {
	/* The name has addresses; may be NULL. */
	void (*found)(void *arg);
	/* fd is connected, non-blocking, without Nagle's delay, and the
	 * callee's; or -1 with why.  May free the dial. */
	void (*done)(int fd, const struct relay_client_error *why, void *arg);
};

/*
 * Tries the addresses of the host one after the other; each gets its share of
 * timeout_ms, so that one that swallows packets does not cost the others their
 * turn.  NULL, with err, when it cannot even begin.
 */
struct dial *dial_start(struct event_base *base, const char *host,
	unsigned port, int64_t timeout_ms, const struct dial_handlers *handlers,
	void *arg, struct relay_err *err);

/* NULL is fine. */
void dial_free(struct dial *dial);

#endif
