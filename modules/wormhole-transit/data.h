/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - the options, and what all threads, a worker and a client have. */
#ifndef DATA_H
#define DATA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "shared/ranges.h"
#include "wormhole-transit/line.h"
#include "wormhole-transit/metric_index.h"
#include "wormhole-transit/waiting.h"

#define PROTOCOL "wormhole-transit"

struct conf {
	bool share_listeners;
	int64_t line_timeout_ms;
	int64_t wait_timeout_ms;
	int64_t idle_timeout_ms;
	struct waiting_limits limits;
};

/* Shared by all threads. */
struct data {
	struct waiting waiting;
	pthread_mutex_t lock; /* guards `exempt` */
	struct ranges exempt;
	struct ranges next_exempt;   /* [C] */
	_Atomic int64_t unfinished;  /* clients that have no session */
	enum relay_drain drain;      /* what the workers were told; [C] */
	struct relay_log_kind kinds; /* of bounds that were reached */
	struct relay_log_kind full;
	struct relay_metric *metrics[METRICS];
};

/* Of each worker. */
struct local {
	struct waiter *here; /* utlist; owned, also those not in the table */
	bool passing;        /* a timer tries again to pass them on */
};

enum client_state {
	CLIENT_NONE,    /* not of this protocol, or over */
	CLIENT_READING, /* its line is not whole */
	CLIENT_WAITING,
	CLIENT_MATCHED, /* on its way to `other` */
	CLIENT_JOINING, /* answered; its session may be refused */
	CLIENT_PAIRED,
};

/* Of each connection. */
struct client {
	uint8_t state; /* enum client_state */
	bool counted;  /* why it ends */
	uint8_t len;
	char bytes[LINE_LONGEST + 1]; /* what it has sent; one more than allowed
				       */
	struct waiter *waiter;        /* owned; CLIENT_WAITING */
	struct place other;           /* CLIENT_MATCHED */
};

/* Of each session. */
struct meeting {
	bool ours;
};

/* NULL: the connection is older than the module. */
static inline struct client *client_of(
	const struct relay_ctx *cx, const struct relay_conn *conn)
{
	return relay_conn_data(cx, conn);
}

static inline struct data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

static inline struct local *local_of(const struct relay_ctx *cx)
{
	return cx->local;
}

#endif
