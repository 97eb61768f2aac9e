/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ssdp.h - searches for gateways by SSDP (UPnP Device Architecture 1.1, 1.3).
 *
 * Any host in the network receives the search and may answer; only answers of
 * trusted gateways count.
 */
#ifndef SSDP_H
#define SSDP_H

#include <netinet/in.h>
#include <stdbool.h>

#include "fetch.h"
#include "host.h"
#include "refusal.h"

struct ssdp {
	int family;                /* AF_INET, AF_INET6 */
	uint32_t interface;        /* for IPv6; 0: chosen by the system */
	const char *local;         /* IPv4 source address; "": any */
	const char *const *kinds;  /* wanted device types; NULL-terminated */
	const struct hosts *hosts; /* trusted gateways */
	int64_t end_ms;            /* of the monotonic clock */
	struct refusals *refusals;
	/* Called once per description.  True ends the search. */
	bool (*each)(const struct url *description, void *arg);
	void *arg;
};

/* 0: `each` returned true; -1 with err: not until end_ms.  Blocks. */
int ssdp_search(const struct ssdp *ssdp, struct relay_err *err);

#endif
