/* SPDX-License-Identifier: MPL-2.0 */

/* pending_session.h - one session that has not begun: an item of the tables. */
#ifndef PENDING_SESSION_H
#define PENDING_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/question.h>

#include "relay/devices/directory.h"
#include "relay/requests/holder_counts.h"
#include "shared/source.h"

struct queue;

enum { SIDE_CLIENT, SIDE_SERVER }; /* the requester, the requested device */

/* The session of two keys. */
struct pending_pair {
	uint8_t id[2][ID_LEN]; /* by side */
	struct place half;     /* the connection that arrived first */
	int half_side;         /* its side */
	uint64_t serial;       /* of the requested device, see queues.h */
};

struct pending_key {
	UT_hash_handle hh;
	struct pending *pending;
	uint8_t key[ID_LEN];
};

/* The state of the requested device's invitation. */
enum stage {
	STAGE_WAITS, /* queued */
	STAGE_SENT,
	STAGE_TAKEN, /* its side of the session has connected */
	STAGE_AWAY,  /* nobody here knows whether it has come: its invitation
			is not sent here, or names another relay */
};

struct pending {
	struct pending *next, *prev; /* of all */
	/* Of the same widest source, oldest first. */
	struct pending *source_next, *source_prev;
	/* Of the same requester. */
	struct pending *device_next, *device_prev;
	struct pending_key key[2]; /* by side; in the table while unused */
	bool used[2];
	unsigned levels;
	struct holder *device; /* borrowed, like the following */
	struct holder *source[SOURCE_LEVELS];
	int64_t deadline_ms;
	struct pending_pair pair;
	/* Of the same requested device, oldest first. */
	struct queue *queue; /* NULL: not queued */
	struct pending *queue_next, *queue_prev;
	uint8_t stage; /* enum stage */
	bool spoke;    /* the requester's side has sent data */
	/* Where another relay holds the session, and the requested device's key
	 * there; owned.  NULL: it is held here. */
	struct relay_found *elsewhere;
};

static inline struct holder *widest(const struct pending *pending)
{
	return pending->levels ? pending->source[pending->levels - 1] : NULL;
}

#endif
