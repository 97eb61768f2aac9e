/* SPDX-License-Identifier: MPL-2.0 */

/* asked.h - what has been asked of a server and not been answered, in order.
 * Pure. */
#ifndef REDIS_ASKED_H
#define REDIS_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/registry.h"

/* More are refused. */
#define ASKED_MOST 16384

enum asked_kind {
	/* The greeting. */
	ASKED_AUTH,
	ASKED_SELECT,
	ASKED_ROLE,
	ASKED_INFO,
	ASKED_POLICY,
	ASKED_LOAD,
	ASKED_TRY,
	ASKED_MASTER,
	/* The subscription. */
	ASKED_SUBSCRIBE,
	ASKED_PING,
	/* Everything else. */
	ASKED_ROLE_AGAIN,
	ASKED_CLAIM,
	ASKED_RELEASE,
	ASKED_FIND,
	ASKED_SEND,
	ASKED_LEASE,
	ASKED_LEASE_END,
	ASKED_LEASES,
	ASKED_IDENTIFY,
	ASKED_ROW_PUT,
	ASKED_ROW_DROP,
	ASKED_ROWS,
};

struct asked {
	enum asked_kind kind;
	bool given_up; /* its result has been told: there was none in time */
	uint8_t table; /* of rows */
	int64_t sent_us;
	union {
		uint8_t id[REGISTRY_ID]; /* of a claim, of a row */
		uint64_t number;         /* of a find, a script, a page */
	} of;
};

struct asked_queue {
	struct asked *memory; /* owned; a ring */
	size_t room, first, count;
};

/* -1: no memory, or too many. */
int asked_push(struct asked_queue *queue, const struct asked *asked);
/* Takes the last one back. */
void asked_unpush(struct asked_queue *queue);
/* The next that is to be answered.  False: there is none. */
bool asked_pop(struct asked_queue *queue, struct asked *out);
/* The i-th of them, lent. */
struct asked *asked_at(const struct asked_queue *queue, size_t i);
void asked_free(struct asked_queue *queue);

#endif
