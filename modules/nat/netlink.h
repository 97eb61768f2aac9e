/* SPDX-License-Identifier: MPL-2.0 */

/*
 * netlink.h - reads routes and neighbours from the kernel (rtnetlink(7)).
 *
 * It needs no privileges, and works even if /proc/net is hidden.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <stdint.h>

#include "host.h"

#define NETLINK_LINK 6 /* bytes of an Ethernet address */

struct netlink_route {
	struct host gateway;
	uint32_t metric;
};

/* Calls `each` for each default route with a gateway.  0, or -1. */
int netlink_default_routes(int family,
	void (*each)(const struct netlink_route *route, void *arg), void *arg);
/* The Ethernet address of a neighbour.  0, or -1 if it is unknown. */
int netlink_link_of(const struct host *host, uint8_t out[NETLINK_LINK]);

#endif
