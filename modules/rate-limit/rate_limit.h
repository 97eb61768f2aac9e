/* SPDX-License-Identifier: MPL-2.0 */

/*
 * rate_limit.h - what the parts of the module share.
 *
 * rate-limit.c  descriptor, options, life, and the service
 * sessions.c    hooks: what each session may send
 * shaper.c      what all limits together allow one session
 * share.c       a rate that sessions share evenly
 * devices.c     devices that have sessions, and their sources
 * privileges.c  devices with more shares, or no limit
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "devices.h"
#include "privileges.h"
#include "shaper.h"
#include "shared/exempt.h"

struct conf {
	int64_t global;
	int64_t per_session;
	int64_t per_device;
	int64_t burst_ms;
	const char *const *weights;
	const char *const *exempt;
};

enum { METRIC_HELD, METRIC_SHARES, METRIC_RATE, METRIC_COUNT };

/* One for all threads. */
struct data {
	struct share_pool global;
	struct device_table devices;
	pthread_mutex_t lock; /* of the next two */
	struct privileges privileges;
	struct ranges exempt;
	struct privileges next; /* prepared by a reload; [C], no lock */
	struct ranges next_exempt;
	_Atomic int64_t cap;         /* of the service; 0: none */
	bool untold;                 /* a worker could not be told; [C] */
	_Atomic uint64_t generation; /* of the settings of sessions */
	struct relay_metric *metrics[METRIC_COUNT];
};

/* Of each worker. */
struct local {
	struct shaper_round round;
	bool ticking; /* its timer runs */
};

/* Of each session. */
struct block {
	uint64_t generation; /* of the settings it has; 0: none yet */
	bool exempt;
	struct device_part *part[2]; /* of the table; NULL: not known */
	struct shaper shaper;
};

/* The global rate in force; 0: none.  [*] */
static inline int64_t effective(const struct data *data)
{
	return atomic_load_explicit(&data->global.rate, memory_order_relaxed);
}

/* sessions.c */

/* Whether this worker's sessions are to be limited.  A message.  [W] */
void sessions_listen(struct relay_ctx *cx, const void *arg);

relay_session_open_fn sessions_open;
relay_session_grant_fn sessions_grant;
relay_session_sent_fn sessions_sent;
relay_session_close_fn sessions_close;
relay_session_reload_fn sessions_reload;

#endif
