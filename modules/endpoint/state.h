/* SPDX-License-Identifier: MPL-2.0 */

/* state.h - what the parts of endpoint share. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>
#include <strelaysrv/module.h>

#include "endpoint/fitness.h"
#include "endpoint/other_uri.h"
#include "endpoint/probe.h"
#include "relay/service.h"

#define OTHERS_MOST 64

struct conf {
	const char *const *relays;
	int64_t interval_ms;
	int64_t timeout_ms;
	struct fitness_limits limits;
};

/* Another relay. */
struct other {
	char *text; /* owned; the URI as configured */
	struct other_uri uri;
	struct fitness fitness;
	struct probe probe;
	int64_t due_ms;       /* when the next check begins, if none runs */
	int64_t checked_ms;   /* when the last one ended; 0: none has */
	struct relay_err why; /* of the last check that failed; "": the last
			       * one has not */
};

/* Whether this relay is in the list, or why not. */
enum own_standing {
	OWN_LISTED,
	OWN_CLOSED,  /* it drains, or a module has closed it */
	OWN_FULL,    /* max-connections is reached */
	OWN_TOKEN,   /* clients of a list have no token */
	OWN_NO_HOST, /* its URI names no address */
	OWN_NO_URI,  /* it has none, or the module relay does not run */
	OWN_STANDINGS
};

/* What the list depends on. */
struct own {
	enum own_standing standing;
	const char *closed; /* by whom; the word of a module */
	char uri[RELAY_SERVICE_URI];
};

enum list_kind {
	LIST_USUAL,
	LIST_LAST_RESORT, /* it has the relays that fail, since all do */
	LIST_EMPTY,
	LIST_KINDS
};

/* The answer, and what it was made from. */
struct list {
	char *text; /* owned; NULL: not made yet */
	size_t len;
	enum list_kind kind;
	unsigned count;      /* of relays in it */
	bool own;            /* this relay is in it */
	uint64_t of_version; /* of the others */
	char of_uri[RELAY_SERVICE_URI];
};

enum {
	METRIC_RELAYS,
	METRIC_LISTED,
	METRIC_LISTED_ITSELF,
	METRIC_CHECKS,
	METRICS
};

/* [C] only. */
struct state {
	struct other *others[OTHERS_MOST]; /* owned; in the order of the list */
	struct other *next[OTHERS_MOST];   /* owned; of a reload */
	uint64_t version; /* changes with what the list says of the others */
	SSL_CTX *tls;     /* owned; NULL: there was no other yet */
	struct list list;
	/* What was logged last; by what it says, since devices that come and
	 * go change it often. */
	enum own_standing said_own;
	enum list_kind said_list;
	struct relay_log_kind own_lines[OWN_STANDINGS], list_lines[LIST_KINDS];
	struct relay_metric *metrics[METRICS];
};

static inline struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

#endif
