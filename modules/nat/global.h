/* SPDX-License-Identifier: MPL-2.0 */

/*
 * global.h - under which IPv6 address the world reaches this machine.
 */
#ifndef GLOBAL_H
#define GLOBAL_H

#include <net/if.h>
#include <stdbool.h>

#include <netinet/in.h>

#include <strelaysrv/err.h>

struct global {
	char text[64];
	char interface[IF_NAMESIZE]; /* that has it */
};

/* Of all the Internet (2000::/3), not of a link or a site only. */
bool global_is(const char *text);
bool global_is_address(const struct in6_addr *address);
/*
 * `local` itself, or with "" the one that the system would show the world: the
 * lasting one, where it has others for privacy too.  Asks nobody.  0 or -1.
 */
int global_find(const char *local, struct global *out, struct relay_err *err);

#endif
