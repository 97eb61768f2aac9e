/* SPDX-License-Identifier: MPL-2.0 */

/*
 * bounds.h - what the parts of the module share.
 *
 * bounds.c     descriptor, options, life
 * admission.c  connections, and what is tried on them
 * devices.c    sessions
 */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "access/ranges.h"
#include "ledger.h"
#include "relay/source.h"

struct conf {
	int64_t per_source;
	int64_t opening;
	int64_t opening_per_source;
	int64_t joins_per_minute;
	int64_t asks_per_minute;
	int64_t failures_per_minute;
	int64_t sessions;
	int64_t sessions_per_device;
	const char *const *exempt;
};

/* Which bound was reached. */
enum bound {
	BOUND_SOURCE,
	BOUND_OPENING,
	BOUND_OPENING_SOURCE,
	BOUND_JOINS,
	BOUND_ASKS,
	BOUND_SESSIONS,
	BOUND_DEVICE,
	BOUND_FAILURES,
	BOUNDS
};

/* Of a source's account; a device's has one count, its sessions. */
enum { COUNT_ALL, COUNT_OPENING };
enum { RATE_JOINS, RATE_ASKS, RATE_FAILURES };
enum { COUNT_SESSIONS };

/* One for all threads. */
struct data {
	struct ledger sources, devices;
	pthread_mutex_t lock; /* of what follows */
	struct ranges exempt;
	struct ranges next_exempt; /* prepared by a reload; [C], no lock */
	_Atomic int64_t sessions;
	struct relay_log_kind kinds[BOUNDS];
	struct relay_metric *reached;
};

/* Of each connection. */
struct block {
	struct account *source[SOURCE_LEVELS]; /* NULL: exempt, or no level */
	bool opening;                          /* counts as such on each */
};

/* Of each session. */
struct meeting {
	bool counted;
	struct account *device[2];
};

/* Says that a bound was reached; the second one also fills *why. */
void bounds_tell(struct relay_ctx *cx, enum bound bound);
enum relay_verdict bounds_refuse(
	struct relay_ctx *cx, enum bound bound, struct relay_denial *why);

/* Whether there may be no session more, in all or of a device that may be
 * NULL. */
bool devices_all_full(struct relay_ctx *cx);
bool devices_full(struct relay_ctx *cx, const uint8_t *id);

relay_conn_accept_fn admission_accept;
relay_conn_settled_fn admission_settled;
relay_peer_try_fn admission_try;
relay_peer_failed_fn admission_failed;
relay_peer_connect_fn admission_connect;
relay_conn_close_fn admission_close;
relay_session_open_fn devices_open;
relay_session_close_fn devices_close;

#endif
