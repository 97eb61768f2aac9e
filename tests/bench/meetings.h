/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meetings.h - session set-ups: request a device, get invitations, join,
 * exchange bytes.
 *
 * One device joins the relay; up to `parallel` others request it repeatedly.  A
 * meeting counts as successful when a byte has passed in each direction.
 */
#ifndef MEETINGS_H
#define MEETINGS_H

#include "bench.h"

struct meetings_plan {
	size_t count;  /* most tries */
	size_t enough; /* stop after this many successes */
	size_t parallel;
	int64_t pause_ms; /* between the end of one and the start of the next */
	bool both_at_once; /* else the requested side joins first */
	/* Each side joins as soon as it is invited, and sends data. */
	bool as_syncthing;
	bool open_house; /* strangers may also request the device */

	/* The device with this ID has joined; the first set-up will begin. */
	void (*begun)(const uint8_t *id, void *arg);

	/* Whether another may begin; NULL: always. */
	bool (*may_begin)(void *arg);

	/* A successful meeting; the callee owns its sockets. */
	void (*met)(int client, int server, int64_t took_ns, void *arg);

	void *arg;
};

struct meetings;

/*
 * Runs the loop until enough have succeeded or all were tried; failures are
 * counted in the tally.  NULL if the device could not join (also counted).  The
 * device stays joined until meetings_destroy(), because its sessions would end
 * with it; plan is borrowed until then.
 */
struct meetings *meetings_run(
	struct bench *bench, const struct meetings_plan *plan);

/* NULL is allowed. */
void meetings_destroy(struct meetings *meetings);

#endif
