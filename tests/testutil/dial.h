/* SPDX-License-Identifier: MPL-2.0 */

/*
 * dial.h - opens a TCP connection to a host, by name or address, with a
 * timeout.
 */
#ifndef DIAL_H
#define DIAL_H

#include "client_state.h"
#include "nearness.h"

struct dial;

struct dial_handlers {
	/* The name was resolved; the callback may be NULL. */
	void (*found)(void *arg);
	/*
	 * fd is connected, non-blocking, has TCP_NODELAY, and is owned by the
	 * callee; or -1 with why.  May free the dial.
	 */
	void (*done)(int fd, const struct relay_client_error *why, void *arg);
};

/*
 * Tries the addresses of the host one after the other.  Each gets a share of
 * timeout_ms, so that an address that drops packets does not use up the time of
 * the others.  NULL, with err, if it cannot start.
 */
struct dial *dial_start(struct event_base *base, const char *host,
	unsigned port, int64_t timeout_ms, const struct dial_handlers *handlers,
	void *arg, struct relay_err *err);

/*
 * Tries no address that is nearer, see nearness.h.  Before the loop runs; all
 * are tried otherwise.
 */
void dial_restrict(struct dial *dial, enum nearness nearest);

/* NULL is allowed. */
void dial_free(struct dial *dial);

#endif
