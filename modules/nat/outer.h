/* SPDX-License-Identifier: MPL-2.0 */

/*
 * outer.h - whether a gateway's external address is of use.
 */
#ifndef OUTER_H
#define OUTER_H

#include <netinet/in.h>
#include <stdbool.h>

#include "refusal.h"

/*
 * False, counted, for one that nobody outside can dial: private, loopback,
 * multicast, none.  The port is of use without: clients then take the address
 * that they have dialled.
 */
bool outer_reaches_us(struct in_addr address, struct refusals *refusals);

#endif
