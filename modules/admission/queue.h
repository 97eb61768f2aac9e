/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue.h - what waits, of one source after the other, and of each the oldest
 * first: a source that asks often waits for its own questions only.
 *
 * A source has a share of the places.  When all are taken, the source that has
 * most gives up its newest one for a source that has fewer.
 *
 * The owner locks it.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

#include "shared/id_hash.h"

/* Most that one source may have, whatever its share. */
#define QUEUE_PER_SOURCE 256

struct queue_source;

/* A member of what waits; the caller owns it. */
struct queue_item {
	struct queue_item *next, *prev; /* utlist */
	struct queue_source *source;    /* NULL: it does not wait */
};

/* All zero: empty. */
struct queue {
	struct queue_source *by_key; /* uthash */
	struct queue_source *first;  /* utlist; whose turn is next */
	/* Those that are not exempt, by how much they have: utlists. */
	struct queue_source *with[QUEUE_PER_SOURCE + 1];
};

/* Whose it is: its key is 0 if it is exempt from shares. */
struct queue_key {
	uint8_t bytes[ID_LEN];
};

enum queue_room {
	QUEUE_ROOM,
	QUEUE_MADE_ROOM, /* *victim does not wait any more */
	QUEUE_FULL,
	QUEUE_SOURCE_FULL,
	QUEUE_NO_MEMORY,
};

/* Of so many free places, and with so many for one source. */
enum queue_room queue_add(struct queue *queue, struct queue_item *item,
	const struct queue_key *key, unsigned free, unsigned share,
	struct queue_item **victim);
/* How many of that source wait. */
unsigned queue_held(const struct queue *queue, const struct queue_key *key);
/* One that had a place waits again.  0, or -1 without memory. */
int queue_return(struct queue *queue, struct queue_item *item,
	const struct queue_key *key);
/* Removes and returns the next one; NULL: none waits. */
struct queue_item *queue_take(struct queue *queue);
/* Removes all that are wanted, and returns them as a list (utlist). */
typedef bool queue_wanted_fn(const struct queue_item *item, void *arg);
struct queue_item *queue_take_all(
	struct queue *queue, queue_wanted_fn *wanted, void *arg);
/* The same, of one source. */
struct queue_item *queue_take_of(struct queue *queue,
	const struct queue_key *key, queue_wanted_fn *wanted, void *arg);

#endif
