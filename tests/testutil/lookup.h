/* SPDX-License-Identifier: MPL-2.0 */

/*
 * lookup.h - the addresses of a host name, without blocking the loop.
 *
 * getaddrinfo() in a thread of its own.  libevent's evdns would need none, but
 * it knows neither nsswitch.conf nor mDNS, and to end it while a look-up is
 * under way is not safe in libevent 2.1.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

#include <event2/event.h>

struct lookup;

/* found: the callee's to freeaddrinfo(); NULL with why (static or valid until
 * it returns).  May free the lookup. */
typedef void lookup_fn(struct addrinfo *found, const char *why, void *arg);

/* NULL when it cannot even begin.  Numeric hosts cost no thread. */
struct lookup *lookup_start(struct event_base *base, const char *host,
	unsigned port, lookup_fn *done, void *arg);

/* NULL is fine; a look-up under way ends by itself, unheard. */
void lookup_free(struct lookup *lookup);

#endif
