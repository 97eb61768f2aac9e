/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meetings.h - session set-ups: ask for a device, be invited, join, say hello.
 *
 * One device joins the relay; up to `parallel` others ask for it, over and
 * over. A meeting counts once a byte has gone each way.
 */
#ifndef MEETINGS_H
#define MEETINGS_H

#include "bench.h"

struct meetings_plan {
	size_t count;
	size_t parallel;
	bool both_at_once; /* else the invited side joins first */

	/* The device has joined, the first set-up is about to begin. */
	void (*begun)(void *arg);

	/* One more meeting, whose sockets are the callee's from now on. */
	void (*met)(int client, int server, int64_t took_ns, void *arg);

	void *arg;
};

/* Runs the loop until all were tried; failures are in the tally.  Returns 0, or
 * -1 if the device could not even join (counted, too). */
int meetings_run(struct bench *bench, const struct meetings_plan *plan);

#endif
