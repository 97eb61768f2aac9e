/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue_scan.h - checks all active queues, in steps of a worker's timer.
 *
 * A stranger can fill the table of pending sessions.  Comparing all of them at
 * once would hold up the worker's traffic for 40 ms.
 */
#ifndef QUEUE_SCAN_H
#define QUEUE_SCAN_H

#include <stdint.h>

#include "relay/requests/pending.h"

/* How often a queue is checked, and the delay between the steps of a scan, both
 * in ms. */
#define SCAN_MS      200
#define SCAN_STEP_MS 5
/* A step ends after the queue with which it has compared so many invitations;
 * that takes about 0.3 ms. */
#define SCAN_COMPARED 512
/* What finding a queue costs, in comparisons. */
#define SCAN_QUEUE 4

/* Of one worker; zeros at the start. */
struct queue_scan {
	unsigned left; /* queues that this scan has not reached yet */
};

/* Runs the next actions for a device; returns how many invitations it has
 * compared. */
typedef unsigned scan_action_fn(void *arg, const uint8_t target[ID_LEN]);

/* One step.  Returns the delay until the next one in ms; 0: no queue is
 * active. */
int64_t scan_step(struct queue_scan *scan, struct pending_table *table,
	scan_action_fn *action, void *arg);

#endif
