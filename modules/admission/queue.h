/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue.h - what waits, of one source after the other, and of each the oldest
 * first: a source that asks often waits for its own questions only.
 *
 * The owner locks it.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

#include "shared/id_hash.h"

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
};

/* 0, or -1 without memory. */
int queue_add(struct queue *queue, struct queue_item *item,
	const uint8_t source[ID_LEN]);
/* Removes and returns the next one; NULL: none waits. */
struct queue_item *queue_take(struct queue *queue);
/* Removes all that are wanted, and returns them as a list (utlist). */
struct queue_item *queue_take_all(struct queue *queue,
	bool (*wanted)(const struct queue_item *item, void *arg), void *arg);

#endif
