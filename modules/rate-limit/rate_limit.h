/* SPDX-License-Identifier: MPL-2.0 */

/*
 * rate_limit.h - what the parts of the module share.
 *
 * rate-limit.c  descriptor, options, life, and the service
 * sessions.c    hooks: what each session may send
 * shaper.c      what all limits together allow one session
 * share.c       a rate that sessions share evenly
 * devices.c     devices that have sessions, and their sources
 * grants.c      devices to which other modules give a rate or a weight
 * privileges.c  devices with more shares, or no limit
 * commands.c    rates that an operator sets
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "devices.h"
#include "grants.h"
#include "privileges.h"
#include "shaper.h"
#include "shared/exempt.h"

/* 8 Tbit/s: a higher rate counts as no limit, so that nothing overflows. */
#define RATE_MOST INT64_C(1000000000000)
/* Of a command: it has set none. */
#define RATE_UNSET (-1)

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
	pthread_mutex_t lock; /* of the next three */
	struct grants grants;
	struct privileges privileges;
	struct ranges exempt;
	struct privileges next; /* prepared by a reload; [C], no lock */
	struct ranges next_exempt;
	_Atomic bool granting; /* there are grants */
	_Atomic int64_t cap;   /* of the service; 0: none */
	/* Rates of the command, which replace the options'; or RATE_UNSET. */
	_Atomic int64_t commanded[SHAPER_LIMITS];
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

static inline bool is_commanded(const struct data *data, int limit)
{
	return atomic_load_explicit(&data->commanded[limit],
		       memory_order_relaxed) != RATE_UNSET;
}

static inline int64_t option_of(const struct conf *conf, int limit)
{
	return limit == LIMIT_GLOBAL   ? conf->global
	       : limit == LIMIT_DEVICE ? conf->per_device
				       : conf->per_session;
}

/* The rate of the command, or of the option; 0: none.  [*] */
static inline int64_t limit_of(const struct relay_ctx *cx, int limit)
{
	const struct data *data = cx->data;
	int64_t rate = atomic_load_explicit(
		&data->commanded[limit], memory_order_relaxed);

	return rate != RATE_UNSET ? rate : option_of(cx->conf, limit);
}

/* Sets the rate of a limit, for running sessions as well.  [C] */
void command_rate(struct relay_ctx *cx, int limit, int64_t rate);

/* commands.c */

extern const struct relay_command_def limit_command;
extern const struct relay_status_part limit_status;

/* sessions.c */

/* Whether this worker's sessions are to be limited.  A message.  [W] */
void sessions_listen(struct relay_ctx *cx, const void *arg);

relay_session_open_fn sessions_open;
relay_session_grant_fn sessions_grant;
relay_session_sent_fn sessions_sent;
relay_session_close_fn sessions_close;
relay_session_reload_fn sessions_reload;
relay_session_leave_fn sessions_leave;
relay_session_enter_fn sessions_enter;

#endif
