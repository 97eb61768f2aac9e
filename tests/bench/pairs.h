/* SPDX-License-Identifier: MPL-2.0 */

/* pairs.h - connected pairs of sockets, through whatever is to be measured. */
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
	uint64_t failed_setups; /* tried again, with success */
	struct meetings_plan plan;
	struct meetings *meetings; /* NULL without a relay */
};

/*
 * Makes `count` pairs: sessions of the relay, connections through the proxy, or
 * direct ones, as the settings say.  The sockets do not block, and a byte has
 * gone each way.  Set-ups that fail are tried again, so often.  While they live
 * the loop must run, for the relay's pings. Returns 0, or -1 if any of them
 * failed (counted, or said on stderr); finish in either case.
 */
int pairs_make(struct pairs *out, struct bench *bench, size_t count);
void pairs_finish(struct pairs *pairs);

#endif
