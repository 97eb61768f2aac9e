/* SPDX-License-Identifier: MPL-2.0 */

/*
 * gateways.h - which hosts of the local network are gateways.
 */
#ifndef GATEWAYS_H
#define GATEWAYS_H

#include <stdbool.h>

#include "host.h"

/*
 * Reads the gateways of the default routes from the kernel, lowest metric
 * first, at most HOSTS_MAX.  `family` is AF_INET or AF_INET6.
 */
void gateways_read(int family, struct hosts *out);
/*
 * Whether the host is one of them.  An IPv6 host has several addresses, so a
 * host with the link-layer address of a gateway is one, too.  If the kernel has
 * to resolve that address, this waits in steps of 50 ms; *waits, at first
 * GATEWAY_WAITS, is the number of steps left.  At 0, only addresses that the
 * kernel has resolved already count, so that a host that answers from many
 * addresses cannot delay the search further.
 */
#define GATEWAY_WAITS 10
bool gateways_include(
	const struct hosts *gateways, const struct host *host, unsigned *waits);

#endif
