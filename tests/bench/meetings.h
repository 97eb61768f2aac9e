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
	size_t count;  /* tried at most */
	size_t enough; /* met, which ends it */
	size_t parallel;
	int64_t pause_ms;  /* between the end of one and the next */
	bool both_at_once; /* else the invited side joins first */
	/* Each side joins as soon as it is invited, and says something. */
	bool as_syncthing;
	bool open_house; /* strangers may ask for the device, too */

	/* The device, whose ID it is, has joined; the first set-up is about to
	 * begin. */
	void (*begun)(const uint8_t *id, void *arg);

	/* Whether one more may begin; NULL: always. */
	bool (*may_begin)(void *arg);

	/* One more meeting, whose sockets are the callee's from now on. */
	void (*met)(int client, int server, int64_t took_ns, void *arg);

	void *arg;
};

struct meetings;

/*
 * Runs the loop until enough have met or all were tried; failures are in the
 * tally.  NULL if the device could not even join (counted, too).  The device
 * stays joined until meetings_destroy(), since its sessions would end with it;
 * plan is borrowed as long.
 */
struct meetings *meetings_run(
	struct bench *bench, const struct meetings_plan *plan);

/* NULL is fine. */
void meetings_destroy(struct meetings *meetings);

#endif
