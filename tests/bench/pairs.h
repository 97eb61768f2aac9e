/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pairs.h - connected pairs of sockets through a relay or a proxy, or direct.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "bench.h"
#include "meetings.h"

struct pair {
	int client;
	int server;
};

struct pairs {
	struct pair *list;
	size_t count;
	int64_t setup_ns;       /* of the first that succeeded */
	uint64_t failed_setups; /* failed first, but succeeded when retried */
	struct meetings_plan plan;
	struct meetings *meetings; /* NULL without a relay */
};

/*
 * Creates `count` pairs: sessions of a relay, connections through the proxy,
 * or direct ones, as the settings say.  The sockets are non-blocking, and a
 * byte has passed in each direction.  Failed set-ups are retried up to the
 * given number.  The loop must run while pairs exist, for the relay's pings.
 * Returns 0, or -1 if any failed (counted, or reported on stderr); call
 * pairs_finish() in both cases.
 */
int pairs_make(struct pairs *out, struct bench *bench, size_t count);
void pairs_finish(struct pairs *pairs);

#endif
