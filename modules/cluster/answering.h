/* SPDX-License-Identifier: MPL-2.0 */

/*
 * answering.h - the owner's side of an ask: a device that is here is invited
 * for one who asks at another node.  [C]
 *
 * The session is held here; if this node is closed, drains or carries more than
 * its share, at the asker's node, else at another one that is open.
 */
#ifndef CLUSTER_ANSWERING_H
#define CLUSTER_ANSWERING_H

#include <stdint.h>

#include "cluster/messages/message.h"

struct relay_ctx;

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

/* 0, or -1 without memory. */
int answering_init(struct answering *answering);
void answering_finish(struct answering *answering);

/* Messages. */
void answering_ask(struct relay_ctx *cx, const struct message *in);
void answering_prepare(struct relay_ctx *cx, const struct message *in);
void answering_prepared(struct relay_ctx *cx, const struct message *in);

#endif
