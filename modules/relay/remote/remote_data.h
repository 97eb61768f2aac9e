/* SPDX-License-Identifier: MPL-2.0 */

/* remote_data.h - what the service for other relays keeps in struct relay_data
 * and struct relay_local. */
#ifndef REMOTE_DATA_H
#define REMOTE_DATA_H

#include <stdatomic.h>
#include <stdint.h>

struct relay_ctx;
struct relay_timer;

#define REMOTE_WATCHERS 4

/* Modules that get answers.  [C] only, but for `lost`. */
struct remote_watchers {
	struct remote_watcher {
		struct relay_ctx *cx; /* NULL: unused */
		uint64_t serial;      /* never reused */
	} at[REMOTE_WATCHERS];
	uint64_t last_serial;
	atomic_uint_fast64_t lost; /* answers, for want of memory */
};

struct remote_probe;

/* Connections that are asked for a sign of life; of each worker. */
struct remote_probes {
	struct remote_probe *by_id; /* uthash; the first is the oldest */
	struct relay_timer *timer;  /* of the time limits; NULL: none */
};

#endif
