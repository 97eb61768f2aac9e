/* SPDX-License-Identifier: MPL-2.0 */

/*
 * gateway.h - a host of the local network that a server finds when it searches
 * for a gateway (UPnP): it answers the search (SSDP), and the request for its
 * description (HTTP).
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "siege.h"

struct gateway_plan {
	unsigned answers; /* to each search; 0: no gateway */

	/*
	 * Its description: `head`, then `again` repeatedly, as fast as the
	 * server takes it, or at this interval in milliseconds.
	 */
	const char *head, *again;
	int64_t again_ms;
};

struct gateway_counts {
	uint64_t searches; /* that were answered */
	uint64_t opened;   /* connections, for the description */
	uint64_t sent_bytes;
};

struct gateway;

/*
 * Answers at siege->own from now on.  Calls found(arg) once, after the first
 * answer to a search; if nobody searches, ends the loop instead.  The plan is
 * borrowed until gateway_destroy().  NULL, with the reason on stderr.
 */
struct gateway *gateway_create(struct siege *siege,
	const struct gateway_plan *plan, void (*found)(void *arg), void *arg);
const struct gateway_counts *gateway_counts(const struct gateway *gateway);

/* Closes all.  NULL is allowed. */
void gateway_destroy(struct gateway *gateway);

#endif
