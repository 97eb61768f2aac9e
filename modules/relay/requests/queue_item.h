/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue_item.h - one device's queue of invitations, for queues.c, which stores
 * it, queue_eviction.c, which limits it, and queue_schedule.c, which chooses
 * the next.
 */
#ifndef QUEUE_ITEM_H
#define QUEUE_ITEM_H

#include "relay/requests/queues.h"
#include "relay/requests/pending_session.h"

/* The session that a device took last, and may be busy with. */
struct busy {
	struct place half; /* conn 0: not busy */
	int64_t since_ms;
	uint64_t serial;
	uint8_t asker[ID_LEN];
	uint8_t source[ID_LEN];
};

/* Exists while it has invitations, or while its device may be busy. */
struct queue {
	UT_hash_handle hh;
	struct queue *active_next, *active_prev; /* NULL: not open */
	struct queue *busy_next, *busy_prev;
	struct pending *first, *last;
	unsigned count, waiting, sent;
	/*
	 * An invitation was sent and not taken; it may have left the queue
	 * meanwhile.
	 */
	bool out;
	int64_t out_ms; /* since when */
	/*
	 * The device took an invitation at once while busy with the previous
	 * one, and has let none wait since.
	 */
	bool parallel;
	struct busy busy;
	uint8_t id[ID_LEN];
};

/* NULL: the queue is empty, and its device is not busy. */
struct queue *queue_find(const struct queues *queues, const uint8_t *id);
/* Marks that it waits for a time, or no longer does. */
void queue_activate(struct queues *queues, struct queue *queue);
void queue_deactivate(struct queues *queues, struct queue *queue);
/* The device is not busy any more. */
void queue_free_device(struct queues *queues, struct queue *queue);
/* Frees it if it is not needed any more. */
void queue_tidy(struct queues *queues, struct queue *queue);
/*
 * The source to remember.  The device ID, which costs an attacker nothing, is
 * only used if all requests come from one address.
 */
const uint8_t *queue_origin(const struct pending *pending);
/*
 * The requester's side: 0: connected and has sent data, 1: connected, 2: not
 * connected.
 */
int queue_behind(const struct pending *pending);
/* The current rank of an invitation in a queue. */
enum reputation_rank queue_rank(const struct queues *queues,
	const struct pending *pending, int64_t now_ms);

#endif
