/* SPDX-License-Identifier: MPL-2.0 */

/* pool_join_service.h - the service of the module pool-join. */
#ifndef POOL_JOIN_SERVICE_H
#define POOL_JOIN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct relay_ctx;

#define POOL_JOIN_SERVICE         "pool-join"
#define POOL_JOIN_SERVICE_VERSION 1

/*
 * The current state of a pool; the texts are valid until the callback returns.
 */
struct pool_join_state {
	const char *url; /* without what may be secret, see shown_url.h */
	/* "waiting", "joining", "joined", "refused", "unreached", "resting" */
	const char *state;
	bool joined;    /* it lists the relay, according to its last answer */
	int64_t status; /* of its last answer; 0: no answer */
	const char *reason; /* of the last attempt's failure, UTF-8 without
			     * control characters; "": it did not fail */
	int64_t next_ms;    /* until the next attempt; -1: none planned */
	int64_t evict_ms;   /* until it removes the relay; -1: not listed */
};

/* All [C]; `self` is the context from relay_service_find(). */
struct pool_join_service {
	/* The i-th of the option `pools`.  0, or -1 past the end, and before
	 * the option is in force. */
	int (*pool)(struct relay_ctx *self, unsigned i,
		struct pool_join_state *out);
};

#endif
