/* SPDX-License-Identifier: MPL-2.0 */

/*
 * bounds.h - declarations shared by the module's files.
 *
 * bounds.c     the descriptor, the options, start and reload
 * admission.c  limits of connections and requests
 * devices.c    limits of sessions
 */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "shared/ranges.h"
#include "ledger.h"
#include "shared/source.h"

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

/* Counts of a source's account; a device's account counts only sessions. */
enum { COUNT_ALL, COUNT_OPENING };
enum { RATE_JOINS, RATE_ASKS, RATE_FAILURES };
enum { COUNT_SESSIONS };

/* Shared by all threads. */
struct data {
	struct ledger sources, devices;
	pthread_mutex_t lock; /* guards the following members */
	struct ranges exempt;
	struct ranges next_exempt;  /* prepared by a reload; [C], no lock */
	_Atomic int64_t per_source; /* in force; 0: no limit */
	_Atomic int64_t sessions;
	struct relay_log_kind kinds[BOUNDS];
	struct relay_metric *reached;
};

/* Data of each connection. */
struct block {
	struct account
		*source[SOURCE_LEVELS]; /* NULL: exempt or no such level */
	bool opening;                   /* counted as opening on each level */
};

/* Data of each session. */
struct meeting {
	bool counted;
	struct account *device[2];
};

/* Log and count that a limit was reached; `conn` is who reached it, NULL: all
 * together.  The second also fills *why. */
void bounds_tell(
	struct relay_ctx *cx, enum bound bound, const struct relay_conn *conn);
enum relay_verdict bounds_refuse(struct relay_ctx *cx, enum bound bound,
	const struct relay_conn *conn, struct relay_denial *why);

/*
 * Whether the limit of all sessions, or of one device (may be NULL), is
 * reached.
 */
bool devices_all_full(struct relay_ctx *cx);
bool devices_full(struct relay_ctx *cx, const uint8_t *id);

relay_conn_accept_fn admission_accept;
relay_conn_settled_fn admission_settled;
relay_peer_try_fn admission_try;
relay_peer_failed_fn admission_failed;
relay_peer_connect_fn admission_connect;
relay_peer_asked_fn admission_asked;
relay_conn_close_fn admission_close;
relay_session_open_fn devices_open;
relay_session_close_fn devices_close;

#endif
