/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state, reached through `instance`.
 */
#ifndef WORKERS_STATE_H
#define WORKERS_STATE_H

#include <stdint.h>

#include "base/instance.h"

struct hang_watch;
struct lag;
struct relay_metric;
struct workers_calls;

struct workers_state {
	/* For workers.c: owned array of `count` structs of calls->size bytes.
	 */
	char *all;
	unsigned count;
	const struct workers_calls *calls; /* borrowed */

	/* For loop_lag.c: owned array; the control loop is first, then the
	 * workers. */
	struct lag *lags;
	unsigned lag_count;

	struct relay_metric **metrics; /* owned array; by enum worker_metric */
	struct hang_watch *watch;      /* owned by hang_watch.c; NULL: none */
	_Atomic int64_t wait_left_ms;  /* for wait_limit.c; 0: no limit */
};

/* [C]  0, or -1 without memory. */
int workers_state_create(void);
/* [C]  Call it after workers_destroy().  Accepts a state that was not made. */
void workers_state_destroy(void);

#endif
