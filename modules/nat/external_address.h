/* SPDX-License-Identifier: MPL-2.0 */

/* external_address.h - checks a gateway's external address. */
#ifndef EXTERNAL_ADDRESS_H
#define EXTERNAL_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "refusal.h"

/*
 * False, and counted, for an address that is not reachable from outside:
 * private, loopback, multicast, none.  The port can be announced without it:
 * clients then use the address they connected to.
 */
bool external_address_is_usable(
	struct in_addr address, struct refusals *refusals);

#endif
