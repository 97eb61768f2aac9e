/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pending_session.h - one session that has not begun, for the parts of the
 * table: pending.c, pending_limits.c and queues.c.
 */
#ifndef PENDING_SESSION_H
#define PENDING_SESSION_H

#include "relay/requests/pending.h"

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
};

struct pending {
	struct pending *next, *prev;
	/* List of the same widest source, oldest first. */
	struct pending *source_next, *source_prev;
	struct pending_key key[2]; /* by side; in the table while unused */
	bool used[2];
	unsigned levels;
	struct share *device; /* borrowed, like the following */
	struct share *source[SOURCE_LEVELS];
	int64_t deadline_ms;
	struct pending_pair pair;
	/* List of the same requested device, oldest first. */
	struct queue *queue; /* NULL: not queued */
	struct pending *queue_next, *queue_prev;
	uint8_t stage; /* enum stage */
	bool spoke;    /* the requester's side has sent data */
};

static inline struct share *widest(const struct pending *pending)
{
	return pending->levels ? pending->source[pending->levels - 1] : NULL;
}

/* pending_limits.c */

/* Counts it for its device and source.  0, or -1 if memory is short. */
int limits_take(struct pending_table *table, struct pending *pending,
	const struct source *source);
/* Undoes limits_take(), also if it was only partly done. */
void limits_give(struct pending_table *table, struct pending *pending);
/*
 * Whether a new one fits when `leaving` (or NULL) will have been dropped;
 * *victim is another one to drop for it, or NULL.
 */
enum pending_room limits_find_room(struct pending_table *table,
	const uint8_t *client, const struct source *source,
	const struct pending *leaving, struct pending **victim);

#endif
