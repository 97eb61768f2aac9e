/* SPDX-License-Identifier: MPL-2.0 */

/* jam.h - sessions that both sides fill. */
#ifndef JAM_H
#define JAM_H

#include "siege.h"

struct jam_plan {
	size_t count; /* sessions at the same time */

	/*
	 * If true, one side closes when all queues are full; the other keeps
	 * its socket open and reads nothing, and the next sessions begin.  If
	 * false, the sessions stay.
	 */
	bool ends;

	/* Whether both sides read everything, or nothing. */
	bool reads;

	/*
	 * If set, only one side fills and reads.  The other reads nothing and
	 * sends a byte at this interval, so that the session is never idle.
	 */
	int64_t byte_ms;
};

struct jam_counts {
	uint64_t sessions;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t failed; /* rounds whose sessions failed to begin */
};

/* Runs the loop until the siege's time is over. */
void jam_run(struct siege *siege, const struct jam_plan *plan,
	struct jam_counts *counts);

#endif
