/* SPDX-License-Identifier: MPL-2.0 */

/*
 * lookup.h - resolves a host name without blocking the loop.
 *
 * Runs getaddrinfo() in a separate thread. libevent's evdns would need no
 * thread, but it supports neither nsswitch.conf nor mDNS, and in libevent 2.1
 * it cannot be stopped safely while a lookup runs.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

#include <event2/event.h>

struct lookup;

/*
 * The callee must freeaddrinfo() found; it is NULL on failure, with why (valid
 * until it returns).  May free the lookup.
 */
typedef void lookup_fn(struct addrinfo *found, const char *why, void *arg);

/* NULL if it cannot start.  A numeric host needs no thread. */
struct lookup *lookup_start(struct event_base *base, const char *host,
	unsigned port, lookup_fn *done, void *arg);

/* NULL is allowed.  A running lookup ends by itself; its result is dropped. */
void lookup_free(struct lookup *lookup);

/* How many threads have not ended.  While there are any, a program ends by
 * _exit(): they use what exit() destroys, and their memory is not a leak. */
unsigned lookup_threads(void);

#endif
