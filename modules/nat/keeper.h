/* SPDX-License-Identifier: MPL-2.0 */

/*
 * keeper.h - a thread that maps a port and keeps it mapped.
 *
 * Requests to gateways block, so they run in a separate thread.  Its news are
 * queued until they are fetched.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <strelaysrv/err.h>
#include <strelaysrv/log.h>

#include "gateway.h"
#include "outbox.h"
#include "schedule.h"

struct keeper;

struct keeper_conf {
	const struct gateway_ops *ops;
	uint16_t port;  /* our listen port */
	char local[64]; /* our listen address; "": any */
	int64_t timeout_ms;
	struct hosts gateways; /* trusted gateways; none: those of the default
				  routes */
	struct schedule schedule;
};

/* Makes a thread that waits for keeper_begin().  NULL with err filled. */
struct keeper *keeper_make(
	const struct keeper_conf *conf, struct relay_err *err);
/* The thread begins to search.  Cannot fail. */
void keeper_begin(struct keeper *keeper);
/* A descriptor that is readable while there is news. */
int keeper_fd(const struct keeper *keeper);
/* Fetches the oldest news.  False: none. */
bool keeper_hear(struct keeper *keeper, struct keeper_news *out);
/* Fetches the refusals since the last call. */
void keeper_refusals(struct keeper *keeper, struct refusals *out);
/* Sets new times and a new port; the mapping of the old port is removed. */
void keeper_configure(struct keeper *keeper, const struct keeper_conf *conf);
/* Starts to remove the mapping.  NULL is allowed. */
void keeper_stop(struct keeper *keeper);
/* Stops without removing the mapping: another process owns it now. */
void keeper_leave(struct keeper *keeper);
/*
 * Call it after keeper_stop(): waits for its end until a time of the monotonic
 * clock (NULL: does not wait).  If it takes longer, the thread finishes in the
 * background.  NULL is allowed.
 */
void keeper_free(struct keeper *keeper, const struct timespec *until);

#endif
