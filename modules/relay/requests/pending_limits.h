/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pending_limits.h - limits of sessions that have not begun, by device, by
 * source and in all, and the choice of the one to drop.
 */
#ifndef PENDING_LIMITS_H
#define PENDING_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/requests/pending_session.h"
#include "relay/requests/holder_counts.h"
#include "shared/source.h"

/* Limits of the table; 0: no limit. */
struct pending_bounds {
	int64_t all;
	int64_t of_device; /* requested by one device */
	int64_t of_source; /* requested from one source */
	/* With the same requested device: */
	int64_t of_asker; /* of one requester, and of one source */
	int64_t in_queue;
};

/* Part of struct pending_table, under its lock. */
struct pending_limits {
	struct pending_bounds bounds;
	unsigned sessions;      /* in the table, which counts them */
	struct holders devices; /* by requester */
	struct holders narrow;  /* by source: all levels but the widest */
	struct holders wide; /* by source, at the widest level; each has a list
				of its sessions */
};

/* Why a session was not added, or which one was dropped for it. */
enum pending_room {
	PENDING_ROOM,
	PENDING_NO_MEMORY,   /* or no random numbers */
	PENDING_FULL,        /* refused, by bounds.all */
	PENDING_DEVICE_FULL, /* refused, by bounds.of_device */
	PENDING_SOURCE_FULL, /* refused, by bounds.of_source */
	PENDING_QUEUE_FULL,  /* refused, by bounds.in_queue */
	PENDING_MADE_ROOM, /* bounds.all: dropped the oldest of the source with
			      most */
	PENDING_SOURCE_ROOM, /* bounds.of_source: dropped its oldest */
	PENDING_QUEUE_ROOM,  /* bounds.of_asker or in_queue: likewise */
};

static inline bool pending_added(enum pending_room room)
{
	return room == PENDING_ROOM || room >= PENDING_MADE_ROOM;
}

/* Counts a session for its device and source.  0, or -1 if memory is short. */
int limits_take(struct pending_limits *limits, struct pending *pending,
	const struct source *source);
/* Undoes limits_take(), also if it was only partly done. */
void limits_give(struct pending_limits *limits, struct pending *pending);
/* The oldest session that the device requested; NULL: there is none. */
struct pending *limits_first_of(
	const struct pending_limits *limits, const uint8_t *client);
/*
 * Whether a new one fits when `leaving` (or NULL) will have been dropped;
 * *victim is another one to drop for it, or NULL.
 */
enum pending_room limits_find_room(struct pending_limits *limits,
	const uint8_t *client, const struct source *source,
	const struct pending *leaving, struct pending **victim);

#endif
