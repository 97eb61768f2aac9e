/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue_scan.h - checks all queues that wait for a time, a few in each turn of the
 * worker.
 *
 * A stranger can fill the table of pending sessions; to compare all of them in
 * one turn would hold up the worker's traffic for 40 ms.
 */
#ifndef QUEUE_SCAN_H
#define QUEUE_SCAN_H

#include <stdint.h>

#include "relay/requests/pending.h"

/* How often a queue is checked, and how long after each other the turns of a
 * round are, both in ms. */
#define ROUND_MS      200
#define ROUND_TURN_MS 5
/* A turn ends when so many invitations were compared, about 0.3 ms; a queue is
 * not left in the middle. */
#define ROUND_COMPARED 512
/* What finding a queue costs, in comparisons. */
#define ROUND_QUEUE 4

/* Of one worker; zeros at the start. */
struct round {
	unsigned left; /* queues that this round has not reached yet */
};

/* Takes the next actions for a device; returns how many invitations were
 * compared for that. */
typedef unsigned round_deal_fn(void *arg, const uint8_t target[ID_LEN]);

/* One turn.  Returns in how many ms the next one is due; 0: no queue waits. */
int64_t round_turn(struct round *round, struct pending_table *table,
	round_deal_fn *deal, void *arg);

#endif
