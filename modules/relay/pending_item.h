/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pending_item.h - one session that has not begun, as the parts of the table
 * see it: pending.c, pending_room.c and lines.c.
 */
#ifndef PENDING_ITEM_H
#define PENDING_ITEM_H

#include "pending.h"

struct pending_key {
	UT_hash_handle hh;
	struct pending *pending;
	uint8_t key[ID_LEN];
};

/* How far the invitation of the one asked for has come. */
enum stage {
	STAGE_WAITS, /* in line */
	STAGE_SENT,
	STAGE_TAKEN, /* its side of the session has come */
};

struct pending {
	struct pending *next, *prev;
	/* Of the same widest source, the oldest first. */
	struct pending *source_next, *source_prev;
	struct pending_key key[2]; /* by side; in the table while unused */
	bool used[2];
	unsigned levels;
	struct share *device; /* borrowed, as what follows */
	struct share *source[SOURCE_LEVELS];
	int64_t deadline_ms;
	struct pending_pair pair;
	/* Of the same device that was asked for, the oldest first. */
	struct line *line; /* NULL: in none */
	struct pending *line_next, *line_prev;
	uint8_t stage; /* enum stage */
	bool spoke;    /* the asker's side has sent something */
};

static inline struct share *widest(const struct pending *pending)
{
	return pending->levels ? pending->source[pending->levels - 1] : NULL;
}

/* pending_room.c */

/* Counts it for its device and source.  0, or -1 without memory. */
int room_take(struct pending_table *table, struct pending *pending,
	const struct source *source);
/* It need not be counted as a whole. */
void room_give(struct pending_table *table, struct pending *pending);
/* Whether one more fits, and *victim, who then has to go, or NULL. */
enum pending_room room_find(struct pending_table *table, const uint8_t *client,
	const struct source *source, struct pending **victim);

#endif
