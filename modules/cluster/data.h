/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - what the module knows.  The control thread's, but for what is atomic
 * and for the kinds of log lines. */
#ifndef CLUSTER_DATA_H
#define CLUSTER_DATA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "cluster/answering_state.h"
#include "cluster/asks/asks.h"
#include "cluster/claims/claims.h"
#include "cluster/conf.h"
#include "cluster/count_index.h"
#include "cluster/messages/seal.h"
#include "cluster/named_state.h"
#include "cluster/nodes/node_table.h"
#include "cluster/redis/redis_registry.h"
#include "cluster/registry.h"
#include "cluster/sharing_state.h"
#include "relay/remote_service.h"

/* What the options say, with their files. */
struct setup {
	struct redis_settings redis;
	char password[256];
	struct message_place v4, v6; /* as configured; len 0: not */
	struct seal_keys keys;
	bool same_server; /* as before the reload */
};

struct data {
	/* Whether other nodes can be asked; workers read it. */
	atomic_bool reachable;
	/* A worker had no memory to tell of a device. */
	atomic_bool untold;

	struct setup setup, next;
	/* The engine; NULL: it could not be opened. */
	void *registry;
	const struct registry_service *engine; /* NULL: Redis */
	const struct registry_ops *ops;
	struct redis_counts before; /* of those that were closed */
	bool known;     /* it is here, and the cluster is of this relay's ID */
	bool whole;     /* as in registry_calls.back */
	bool foreign;   /* it is of another one, so nothing is done */
	char away[128]; /* why the registry cannot be reached; "": it can */

	struct seal seal;
	struct node_table *nodes;
	struct claims *claims;
	struct asks *asks;
	struct answering answering;

	struct node_facts self;
	struct named named;
	struct sharing sharing;
	char node[MESSAGE_NAME];
	int64_t leased_ms; /* when the lease was last renewed; 0: never */
	int64_t traffic, traffic_ms; /* for the rate */
	struct relay_timer *lease_timer, *tick;
	int64_t tick_due_ms;
	int64_t recount_ms; /* of the devices that are here; 0: none is due */
	uint64_t lost;      /* signs of life, as far as it was looked into */
	uint64_t delayed;   /* of claims, as far as it was logged */

	const struct relay_remote_service *remote; /* NULL: no relay runs */
	struct relay_ctx *relay;

	struct relay_metric *counts[COUNTS];
	struct relay_log_kind rejected[SEAL_FAULTS];
	struct relay_log_kind no_room, no_memory, delays, lapsed, same_name;
	struct relay_log_kind no_ask, no_answer;
	struct relay_log_kind no_address, same_place;
	bool some_gone; /* in nodes_expire() */
};

static inline struct data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

#endif
