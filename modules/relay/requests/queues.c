/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/requests/queues.h"

struct queue *queue_find(const struct queues *queues, const uint8_t *id)
{
	struct queue *queue;

	HASH_FIND(hh, queues->by_id, id, ID_LEN, queue);
	return queue;
}

void queue_deactivate(struct queues *queues, struct queue *queue)
{
	if (!queue->active_next)
		return;
	queues->active--;
	CDL_DELETE2(queues->active_first, queue, active_prev, active_next);
	queue->active_next = queue->active_prev = NULL;
}

void queue_activate(struct queues *queues, struct queue *queue)
{
	if (queue->active_next)
		return;
	queues->active++;
	CDL_APPEND2(queues->active_first, queue, active_prev, active_next);
}

static void free_queue(struct queues *queues, struct queue *queue)
{
	queue_deactivate(queues, queue);
	HASH_DEL(queues->by_id, queue);
	free(queue);
}

void queue_tidy(struct queues *queues, struct queue *queue)
{
	if (!queue->count && !queue->busy.half.conn)
		free_queue(queues, queue);
}

void queue_free_device(struct queues *queues, struct queue *queue)
{
	if (!queue->busy.half.conn)
		return;
	queue->busy.half.conn = 0;
	DL_DELETE2(queues->busy_first, queue, busy_prev, busy_next);
}

void queues_finish(struct queues *queues)
{
	while (queues->by_id)
		free_queue(queues, queues->by_id);
	reputation_finish(&queues->reputation);
}

int queues_add(struct queues *queues, struct pending *pending)
{
	const uint8_t *id = pending->pair.id[SIDE_SERVER];
	struct queue *queue = queue_find(queues, id);

	if (!queue) {
		queue = calloc(1, sizeof(*queue));
		if (!queue)
			return -1;
		memcpy(queue->id, id, ID_LEN);
		HASH_ADD_KEYPTR(hh, queues->by_id, queue->id, ID_LEN, queue);
		if (!queue->hh.tbl) { /* uthash: out of memory */
			free(queue);
			return -1;
		}
	}
	pending->queue = queue;
	DL_APPEND2(queue->first, pending, queue_prev, queue_next);
	queue->count++;
	queue->waiting += pending->stage == STAGE_WAITS;
	queues->waiting += pending->stage == STAGE_WAITS;
	return 0;
}

const uint8_t *queue_origin(const struct pending *pending)
{
	const struct holder *source = widest(pending);

	return source ? source->key : pending->pair.id[SIDE_CLIENT];
}

int queue_side_rank(const struct pending *pending)
{
	return pending->spoke ? 0 : pending->pair.half.conn ? 1 : 2;
}

enum reputation_rank queue_rank(const struct queues *queues,
	const struct pending *pending, int64_t now_ms)
{
	return reputation_rank(&queues->reputation,
		pending->pair.id[SIDE_CLIENT], pending->queue->id,
		queue_origin(pending), now_ms);
}

void queues_taken(struct queues *queues, struct pending *pending,
	struct place first, int64_t now_ms)
{
	struct queue *queue = pending->queue;
	struct busy *busy = &queue->busy;

	/*
	 * A device that takes invitations one by one would have let this one
	 * wait.
	 */
	if (pending->stage == STAGE_SENT &&
		now_ms - queue->untaken_ms >= QUEUE_UNTAKEN_MS)
		queue->parallel = false;
	else if (pending->stage == STAGE_SENT && busy->half.conn)
		queue->parallel = true;
	if (pending->stage == STAGE_WAITS) {
		queue->waiting--;
		queues->waiting--;
	} else if (pending->stage == STAGE_SENT) {
		queue->sent--;
	}
	pending->stage = STAGE_TAKEN;
	queue->untaken = queue->sent > 0;
	queue->untaken_ms = now_ms;
	/* The device was waiting for that session: blame its source. */
	if (queue->suspect_ms && now_ms - queue->suspect_ms < QUEUE_UNTAKEN_MS)
		reputation_blame(&queues->reputation, queue->suspect,
			REPUTATION_WASTE_MS, now_ms);
	queue->suspect_ms = 0;
	if (busy->half.conn)
		queue->previous = *busy;
	queue_free_device(queues, queue);
	busy->half = first;
	busy->since_ms = now_ms;
	busy->slice_over = false;
	busy->serial = pending->pair.serial = ++queues->last_serial;
	memcpy(busy->asker, pending->pair.id[SIDE_CLIENT], ID_LEN);
	memcpy(busy->source, queue_origin(pending), ID_LEN);
	DL_APPEND2(queues->busy_first, queue, busy_prev, busy_next);
}

/* How much of the time of others this session has wasted. */
static int64_t wasted_ms(
	const struct queues *queues, const struct queue *queue, int64_t now_ms)
{
	const struct busy *busy = &queue->busy;

	if (reputation_rank(&queues->reputation, busy->asker, queue->id,
		    busy->source, now_ms) == REPUTATION_FRIEND)
		return 0;
	if (busy->slice_over)
		return REPUTATION_WASTE_MS;
	return queue->untaken ? now_ms - queue->untaken_ms : 0;
}

/* The device may still wait for the Hello of the session before. */
static void fall_back(
	struct queues *queues, struct queue *queue, int64_t now_ms)
{
	struct busy *previous = &queue->previous;

	if (previous->half.conn &&
		now_ms - previous->since_ms < QUEUE_HELLO_MS - QUEUE_BUSY_MS) {
		queue->busy = *previous;
		queue->busy.since_ms = now_ms;
		queue->busy.slice_over = false;
		DL_APPEND2(queues->busy_first, queue, busy_prev, busy_next);
	}
	previous->half.conn = 0;
}

/* The session that the device is busy with has ended. */
static void end_busy(struct queues *queues, struct queue *queue, bool answered,
	int64_t now_ms)
{
	int64_t wasted = answered ? 0 : wasted_ms(queues, queue, now_ms);

	if (wasted > 0)
		reputation_blame(&queues->reputation, queue->busy.source,
			wasted, now_ms);
	queue_free_device(queues, queue);
	/* Only now can the device take the next one. */
	queue->untaken_ms = now_ms;
	fall_back(queues, queue, now_ms);
}

static void previous_over(struct queue *queue, bool answered, int64_t now_ms)
{
	struct busy *previous = &queue->previous;

	previous->half.conn = 0;
	if (!previous->slice_over)
		return;
	/* The last session has another time slice. */
	queue->busy.slice_over = false;
	queue->untaken_ms = now_ms;
	if (answered)
		return;
	memcpy(queue->suspect, previous->source, ID_LEN);
	queue->suspect_ms = now_ms;
}

void queues_remove(struct queues *queues, struct pending *pending, bool begun,
	int64_t now_ms)
{
	struct queue *queue = pending->queue;
	bool alone = pending->stage == STAGE_TAKEN && !begun;

	if (!queue)
		return;
	DL_DELETE2(queue->first, pending, queue_prev, queue_next);
	queue->count--;
	queue->sent -= pending->stage == STAGE_SENT;
	queue->waiting -= pending->stage == STAGE_WAITS;
	queues->waiting -= pending->stage == STAGE_WAITS;
	/* The requester let the device wait. */
	if (alone && queue->busy.half.conn &&
		queue->busy.serial == pending->pair.serial)
		end_busy(queues, queue, false, now_ms);
	pending->queue = NULL;
	queue_tidy(queues, queue);
}

void queues_session_over(struct queues *queues, const uint8_t target[ID_LEN],
	uint64_t serial, bool answered, int64_t now_ms)
{
	struct queue *queue;

	/* A session that lasts long enough does not count as busy any more. */
	queues_forget(queues, now_ms);
	queue = queue_find(queues, target);
	if (!queue)
		return;
	if (queue->previous.half.conn && queue->previous.serial == serial)
		previous_over(queue, answered, now_ms);
	if (!queue->busy.half.conn || queue->busy.serial != serial)
		return;
	end_busy(queues, queue, answered, now_ms);
	queue_tidy(queues, queue);
}

void queues_forget(struct queues *queues, int64_t now_ms)
{
	while (queues->busy_first &&
		now_ms - queues->busy_first->busy.since_ms >= QUEUE_BUSY_MS) {
		struct queue *queue = queues->busy_first;

		queue->previous.half.conn = 0;
		queue_free_device(queues, queue);
		queue_tidy(queues, queue);
	}
}

bool queues_next_active(struct queues *queues, uint8_t target[ID_LEN])
{
	struct queue *queue = queues->active_first;

	if (!queue)
		return false;
	memcpy(target, queue->id, ID_LEN);
	queues->active_first = queue->active_next;
	return true;
}

struct pending *queues_first_waiting(
	const struct queues *queues, const uint8_t target[ID_LEN])
{
	const struct queue *queue = queue_find(queues, target);
	struct pending *waiting = queue && queue->waiting ? queue->first : NULL;

	while (waiting && waiting->stage != STAGE_WAITS)
		waiting = waiting->queue_next;
	return waiting;
}
