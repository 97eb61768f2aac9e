/* SPDX-License-Identifier: MPL-2.0 */

/* answering_state.h - asks of other nodes that are being answered.  [C] */
#ifndef CLUSTER_ANSWERING_STATE_H
#define CLUSTER_ANSWERING_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/messages/message.h"

/* Asks that are being answered; more are refused. */
#define ANSWERING_MOST 1024
/* How long one may take until its place is given to another. */
#define ANSWERING_MS 2000

/* A node that does not prepare a session within that time is not asked again,
 * but another one: it may have died a moment ago. */
#define ANSWERING_PREPARE_MS 150
#define ANSWERING_HOLDERS    3
/* The places in which one ask may be, next to each other. */
#define ANSWERING_NEAR 8

/*
 * One ask.  Where its place begins follows from who asked and the number there,
 * so one that comes again is known: it is answered once more, and the device is
 * invited once.
 */
struct answering_ask {
	uint64_t serial; /* its place, modulo ANSWERING_MOST; 0: free */
	uint64_t from;   /* incarnation of the asker's node */
	int64_t began_ms;
	bool answered;
	/* The node that was asked to hold the session, and when; 0: none. */
	uint64_t holder;
	int64_t prepare_ms;
	unsigned holders;             /* that were asked so far */
	struct message_ask ask;       /* its number is the asker's node's */
	struct message_answer answer; /* as far as it is known */
};

struct answering {
	struct answering_ask *ask; /* ANSWERING_MOST */
	uint64_t round;            /* part of the next serial number */
	bool waits;                /* for a holder, perhaps */
};

#endif
