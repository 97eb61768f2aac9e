/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pool_join_service.h - what the module pool-join does for others.
 */
#ifndef POOL_JOIN_SERVICE_H
#define POOL_JOIN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct relay_ctx;

#define POOL_JOIN_SERVICE         "pool-join"
#define POOL_JOIN_SERVICE_VERSION 1

/* A pool as it is now; the texts are valid until the callback returns. */
struct pool_join_state {
	const char *url;
	/* "waiting", "joining", "joined", "refused", "unreached", "resting" */
	const char *state;
	bool joined;        /* it lists the relay, as far as it has said */
	int64_t status;     /* of its last answer; 0: none came */
	const char *reason; /* of the last attempt's failure, UTF-8 without
			     * control characters; "": it did not fail */
	int64_t next_ms;    /* to the next attempt; -1: none is planned */
	int64_t evict_ms;   /* until it forgets the relay; -1: it has */
};

/* All [C]; `self` is what relay_service_find() gave. */
struct pool_join_service {
	/* The i-th of the option `pools`.  0, or -1 past the end. */
	int (*pool)(struct relay_ctx *self, unsigned i,
		struct pool_join_state *out);
};

#endif
