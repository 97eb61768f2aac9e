/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - the module's options and data, which its files share. */
#ifndef DATA_H
#define DATA_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "meter.h"
#include "names.h"
#include "others_state.h"

struct conf {
	int64_t cap[METERS];
	int64_t anchor_day;
	const char *time_zone;
	int64_t count;
	int64_t throttle_at;
	int64_t throttle_rate;
	const char *state_file;
	int64_t save_ms;
	bool state_required;
	bool shared;
};

/* Used on the control thread only. */
struct data {
	struct meter meter;
	struct names names;
	struct self self;
	int64_t nodes; /* others that count together with this one */
	bool alone;    /* it was logged that there is no cluster */
	struct meter_plan plan;
	struct meter_plan next; /* prepared by a reload */
	int64_t seen;           /* last value of the core's counter */
	bool unsaved;
	bool save_again; /* once the work that runs has ended */
	/* A caller waits for a work, whose result is in the next two. */
	bool asks;
	bool failed;
	struct relay_err why;
	int64_t began_ms; /* when the last work began */
	bool moved;       /* another process has taken over */
	bool warned;      /* it was logged that rate-limit is missing */
	int64_t saved_ms;
	struct relay_log_kind unwritable, gone, full, uncounted;
	int64_t refused; /* names, without memory */
	enum meter_level level;
};

#endif
