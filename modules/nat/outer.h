/* SPDX-License-Identifier: MPL-2.0 */

/* outer.h - checks a gateway's external address. */
#ifndef OUTER_H
#define OUTER_H

#include <netinet/in.h>
#include <stdbool.h>

#include "refusal.h"

/*
 * False, and counted, for an address that is not reachable from outside:
 * private, loopback, multicast, none.  The port can be announced without it:
 * clients then use the address they connected to.
 */
bool outer_reaches_us(struct in_addr address, struct refusals *refusals);

#endif
