/* SPDX-License-Identifier: MPL-2.0 */

/*
 * state.h - what the parts of pool-join share.
 *
 * pool-join.c  descriptor, options, life cycle
 * pools.c      each pool's schedule of requests
 * report.c     metrics, and the service
 * plan.c       what an answer means (pure)
 * request.c    HTTP requests that do not block
 * url.c        parses a pool's URL (pure)
 * pem.c        the relay's certificate and key, sent to pools
 * pem_pair.c   loads both with a time limit
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "plan.h"
#include "request.h"
#include "shared/url.h"

#define POOLS_MAX   64
#define POOL_REASON 320
#define POOL_LABEL  (URL_PLACE + 4)

struct conf {
	const char *const *pools;
	const char *bind;
	const char *ca_file;
	const char *proxy;
	int64_t timeout_ms;
};

enum pool_state {
	POOL_WAITING, /* for its first attempt */
	POOL_JOINING,
	POOL_JOINED,
	POOL_REFUSED,   /* it answered, but did not accept */
	POOL_UNREACHED, /* it did not answer */
	POOL_RESTING,   /* a token is set, or the server is closed */
	POOL_STATES
};

struct pool {
	char *url;   /* owned */
	char *shown; /* owned; what messages and pages call it */
	enum pool_state state;
	struct plan plan;
	struct relay_timer *timer; /* NULL: none is due */
	struct request *request;   /* NULL: none is under way */
	int64_t asked_ms;          /* when the last attempt began; 0: none */
	int64_t next_ms;           /* of the timer */
	int64_t evict_ms; /* when it removes us; 0: it does not list us */
	int64_t status;   /* of the last answer */
	bool stale;       /* the URI has changed since the last request */
	bool late; /* there was no memory for the timer, see pools_retry() */
	char reason[POOL_REASON]; /* of the last failure; "": none since */
};

/* The first five have one value for each pool. */
enum {
	METRIC_JOINED,
	METRIC_STATE,
	METRIC_STATUS,
	METRIC_NEXT,
	METRIC_EVICTION,
	METRIC_POOLS,
	METRIC_ATTEMPTS,
	METRICS
};

/* [C] only. */
struct state {
	struct pool pools[POOLS_MAX];
	/* Owned: URLs that pools_prepare() adds, and what they are called. */
	char *next[POOLS_MAX], *next_shown[POOLS_MAX];
	struct requests *requests; /* owned */
	struct request_pem cert, key;
	struct relay_metric *metrics[METRICS];
	char agent[80];
	bool identified; /* the certificate is known to be the one in use */
	bool held;       /* the server is closed to new devices */
	bool is_private; /* as logged last */
	bool warned;     /* that the relay becomes public was logged */
};

static inline struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

#endif
