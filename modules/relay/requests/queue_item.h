/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queue_item.h - one device's queue of invitations, for queues.c, which stores
 * it, queue_eviction.c, which limits it, and queue_schedule.c, which chooses the
 * next.
 */
#ifndef QUEUE_ITEM_H
#define QUEUE_ITEM_H

#include "relay/requests/queues.h"
#include "relay/requests/pending_session.h"

/* The session that a device took last, and may be busy with. */
struct busy {
	struct place half; /* conn 0: not busy */
	int64_t since_ms;
	uint64_t turn;
	uint8_t asker[ID_LEN];
	uint8_t source[ID_LEN];
};

/* Exists while it has invitations, or while its device may be busy. */
struct line {
	UT_hash_handle hh;
	struct line *open_next, *open_prev; /* NULL: not open */
	struct line *busy_next, *busy_prev;
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
struct line *line_find(const struct lines *lines, const uint8_t *id);
/* Marks that it waits for a time, or no longer does. */
void line_open(struct lines *lines, struct line *line);
void line_close(struct lines *lines, struct line *line);
/* The device is not busy any more. */
void line_free_device(struct lines *lines, struct line *line);
/* Frees it if it is not needed any more. */
void line_tidy(struct lines *lines, struct line *line);
/*
 * The source to remember.  The device ID, which costs an attacker nothing, is
 * only used if all requests come from one address.
 */
const uint8_t *line_origin(const struct pending *pending);
/*
 * The requester's side: 0: connected and has sent data, 1: connected, 2: not
 * connected.
 */
int line_behind(const struct pending *pending);
/* The current rank of an invitation in a queue. */
enum standing_rank line_rank(const struct lines *lines,
	const struct pending *pending, int64_t now_ms);

#endif
