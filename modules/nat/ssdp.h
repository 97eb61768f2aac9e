/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ssdp.h - looks for gateways by SSDP (UPnP Device Architecture 1.1, 1.3).
 *
 * Any host of the network hears the question and may answer; only the
 * gateways' own answers count.
 */
#ifndef SSDP_H
#define SSDP_H

#include <netinet/in.h>
#include <stdbool.h>

#include "fetch.h"
#include "host.h"
#include "refusal.h"

struct ssdp {
	int family;         /* AF_INET, AF_INET6 */
	uint32_t interface; /* by which IPv6 goes out; 0: the system's choice */
	const char *local;  /* IPv4 address to ask from; "": any */
	const char *const *kinds;  /* that are asked for; NULL-terminated */
	const struct hosts *hosts; /* whose answers count */
	int64_t end_ms;            /* of the monotonic clock */
	struct refusals *refusals;
	/* Called for each description, once.  True: that is it. */
	bool (*each)(const struct url *description, void *arg);
	void *arg;
};

/* 0: `each` has said so; -1 with err: not until the end.  Blocks. */
int ssdp_search(const struct ssdp *ssdp, struct relay_err *err);

#endif
