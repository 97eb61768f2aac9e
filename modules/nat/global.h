/* SPDX-License-Identifier: MPL-2.0 */

/* global.h - the public IPv6 address of this machine. */
#ifndef GLOBAL_H
#define GLOBAL_H

#include <net/if.h>
#include <stdbool.h>

#include <netinet/in.h>

#include <strelaysrv/err.h>

struct global {
	char text[64];
	char interface[IF_NAMESIZE]; /* that has the address */
};

/* Whether it is a global address (2000::/3), not link-local or site-local. */
bool global_is(const char *text);
bool global_is_address(const struct in6_addr *address);
/*
 * `local` itself, or for "" the address that the system would use for public
 * destinations, but not a temporary privacy address if there is another.  Sends
 * nothing.  0 or -1.
 */
int global_find(const char *local, struct global *out, struct relay_err *err);

#endif
