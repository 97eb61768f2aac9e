/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - the options, and what all threads and each worker share. */
#ifndef DATA_H
#define DATA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/address/advertise.h"
#include "relay/address/own_address_data.h"
#include "relay/address/told.h"
#include "relay/devices/directory.h"
#include "relay/devices/drain_list.h"
#include "relay/devices/join_token.h"
#include "relay/metric_index.h"
#include "relay/remote/remote_data.h"
#include "relay/requests/parking.h"
#include "relay/requests/pending.h"
#include "relay/requests/queue_scan.h"
#include "relay/sessions/session_list.h"
#include "shared/ranges.h"

struct relay_conf {
	int64_t network_timeout_ms;
	int64_t ping_interval_ms;
	int64_t message_timeout_ms;
	const char *const *ext_address;
	int64_t ext_lookup_ms;
	const char *ext_status;
	const char *provided_by;
	const char *token;
	const char *token_file;
	int64_t pending_sessions;
	int64_t pending_per_device;
	int64_t pending_per_source;
	int64_t invitations_per_asker;
	int64_t invitations_per_device;
	int64_t messages_per_minute;
	int64_t guest_timeout_ms;
	int64_t asks;
	int64_t park_asks_ms;
	int64_t token_at;
};

/* struct relay_conf, asks: who may ask for a device. */
enum { ASKS_ANYONE, ASKS_JOINED };

/* struct relay_conf, token_at: where devices need the token. */
enum { TOKEN_EVERYWHERE, TOKEN_PRIVATE };

/* Limits that are logged when they are reached. */
enum peer_bound {
	BOUND_CONNECTIONS,
	BOUND_LISTENER,
	BOUND_PENDING,
	BOUND_SLICE,
	BOUND_QUEUE,
	BOUND_MESSAGES,
	BOUND_TOKEN, /* its text has an address */
	PEER_BOUNDS
};

/* What the options say, made whole before it comes into force.  [C] */
struct relay_next {
	struct join_token secret;
	struct ranges exempt; /* owned */
	struct relay_timer *expiry;
	bool new_timeouts; /* else those of connections go on */
};

/* Lists for commands that may be made at the same time. */
#define LISTINGS_MAX 4

struct follower;
struct listing;

/* See events.h. */
struct events {
	_Atomic int followed;       /* how many follow */
	struct follower *followers; /* utlist; control thread only */
};

/* How many events a worker has told in this second. */
struct event_pace {
	int64_t second;
	unsigned count;
	uint32_t lost; /* since the last one that was told */
};

/* Shared by all threads. */
struct relay_data {
	struct directory directory;
	struct session_list sessions;
	struct pending_table pending;
	struct parking parking;
	pthread_mutex_t lock; /* guards the following members */
	struct join_token secret;
	struct ranges exempt;
	struct advertise advertise;
	atomic_bool told_lost[TOLD_LOST_KINDS]; /* it was logged */
	struct own_address own_address; /* control thread only, like the next */
	struct relay_timer *expiry;
	struct relay_next next;
	struct listing *listings[LISTINGS_MAX]; /* control thread only */
	uint64_t listing_serial;                /* control thread only */
	struct events events;
	struct remote_watchers remote; /* control thread only */
	struct relay_log_kind bounds[PEER_BOUNDS];
	enum relay_drain drain; /* the state that the workers were told */
	/* Constant from init on. */
	struct relay_metric *metrics[RELAY_METRICS];
};

/* Data of each worker. */
struct relay_local {
	struct drain_list drain_list;
	struct relay_timer *again; /* checks invitations that wait for a time */
	struct queue_scan scan;    /* the progress of these checks */
	struct event_pace event_pace;
	struct remote_probes probes;
};

static inline struct relay_data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline const struct relay_conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

#endif
