/* SPDX-License-Identifier: MPL-2.0 */

/* jam.h - sessions that both sides fill and neither reads. */
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
};

struct jam_counts {
	uint64_t sessions;
	uint64_t sent_bytes;
	uint64_t failed; /* rounds whose sessions failed to begin */
};

/* Runs the loop until the siege's time is over. */
void jam_run(struct siege *siege, const struct jam_plan *plan,
	struct jam_counts *counts);

#endif
