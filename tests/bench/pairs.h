/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pairs.h - connected pairs of sockets through a relay or a proxy, or direct.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "bench.h"
#include "meetings.h"

/* Sessions of one device: a relay may limit them. */
#define PAIRS_OF_DEVICE 250
#define PAIRS_DEVICES   16

struct pair {
	int client;
	int server;
};

struct pairs {
	struct pair *list;
	size_t count;
	int64_t setup_ns;       /* of the first that succeeded */
	uint64_t failed_setups; /* failed first, but succeeded when retried */
	/* Of each device that is asked for; none without a relay. */
	struct meetings_plan plans[PAIRS_DEVICES];
	struct meetings *meetings[PAIRS_DEVICES];
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

/* Sends a byte from one end to the other, and waits for it, up to the client's
 * timeout. */
bool pairs_pass(struct bench *bench, int from, int to);

#endif
