/* SPDX-License-Identifier: MPL-2.0 */

/* answering_state.h - asks of other nodes that are being answered.  [C] */
#ifndef CLUSTER_ANSWERING_STATE_H
#define CLUSTER_ANSWERING_STATE_H

#include <stdint.h>

#include "cluster/messages/message.h"

/* Asks that are being answered; more are refused. */
#define ANSWERING_MOST 1024
/* How long one may take until its place is given to another. */
#define ANSWERING_MS 2000

/* One ask.  It is in the place of its serial number, modulo ANSWERING_MOST. */
struct answering_ask {
	uint64_t serial; /* 0: the place is free */
	uint64_t from;   /* incarnation of the asker's node */
	int64_t began_ms;
	struct message_ask ask;       /* its number is the asker's node's */
	struct message_answer answer; /* as far as it is known */
};

struct answering {
	struct answering_ask *ask; /* ANSWERING_MOST */
	uint64_t serial;           /* of the last one */
};

#endif
