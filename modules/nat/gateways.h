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
 * Whether the host is one of them.  An IPv6 host has several addresses, so the
 * same link-layer address also counts.  The kernel has to ask for that, and is
 * waited for; *waits, at most GATEWAY_WAITS, is how often that may be, 50 ms
 * each, and becomes less.  At 0, only what the kernel knows already counts:
 * whoever sends from many addresses holds up nothing more.
 */
#define GATEWAY_WAITS 10
bool gateways_include(
	const struct hosts *gateways, const struct host *host, unsigned *waits);

#endif
