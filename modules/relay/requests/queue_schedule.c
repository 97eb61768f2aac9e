/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/requests/queue_schedule.h"

/* Lower is better: the reputation, then the state of the requester's side. */
static int score_of(const struct queues *queues, const struct pending *pending,
	int64_t now_ms)
{
	return 3 * (int)queue_rank(queues, pending, now_ms) +
	       queue_side_rank(pending);
}

/* Up to this score an invitation may be sent to a busy device. */
#define SCORE_AHEAD (3 * REPUTATION_UNKNOWN)
#define SCORE_IDLE  (3 * REPUTATION_IDLE)
#define SCORE_WORST (SCORE_IDLE + 2)

static uint64_t last_served(const struct pending *pending)
{
	const struct holder *source = widest(pending);

	return source ? source->last_served : 0;
}

/* The best at that stage, or NULL. */
static struct pending *best(const struct queues *queues,
	const struct queue *queue, enum stage stage, int64_t now_ms, int *score)
{
	struct pending *found = NULL;
	unsigned compared = 0;

	*score = SCORE_WORST + 1;
	for (struct pending *p = queue->first; p && compared < QUEUE_COMPARED;
		p = p->queue_next) {
		int other;

		compared++;
		if (p->stage != stage)
			continue;
		other = score_of(queues, p, now_ms);
		if (found &&
			(other > *score ||
				(other == *score &&
					last_served(p) >= last_served(found))))
			continue;
		found = p;
		*score = other;
	}
	return found;
}

/* Shorter if many wait. */
static int64_t slice_ms(const struct queue *queue)
{
	int64_t ms = QUEUE_SLICE_MS / (1 + queue->waiting / 8);

	return ms > QUEUE_SLICE_LEAST_MS ? ms : QUEUE_SLICE_LEAST_MS;
}

static bool used_slice(const struct queue *queue, int64_t now_ms)
{
	return now_ms - queue->busy.since_ms >= slice_ms(queue);
}

/*
 * Whether that session may be ended for a request with that score.  A known
 * pair is slow for a good reason.
 */
static bool may_end(const struct queues *queues, const struct queue *queue,
	const struct busy *busy, int score, int64_t now_ms)
{
	enum reputation_rank rank;

	if (!busy->half.conn || busy->slice_over)
		return false;
	rank = reputation_rank(&queues->reputation, busy->asker, queue->id,
		busy->source, now_ms);
	return rank != REPUTATION_FRIEND && score <= 3 * (int)rank + 2;
}

static bool may_end_previous(const struct queues *queues,
	const struct queue *queue, int score, int64_t now_ms)
{
	return now_ms - queue->previous.since_ms < QUEUE_HELLO_MS &&
	       may_end(queues, queue, &queue->previous, score, now_ms);
}

/*
 * Whether the device may not get to its last session because the one before, of
 * a source that is known to waste its time, is still open.
 */
static bool is_behind_idle(
	const struct queues *queues, const struct queue *queue, int64_t now_ms)
{
	const struct busy *busy = &queue->busy;

	return busy->half.conn &&
	       may_end_previous(queues, queue, SCORE_IDLE, now_ms) &&
	       reputation_rank(&queues->reputation, busy->asker, queue->id,
		       busy->source, now_ms) != REPUTATION_IDLE;
}

static void end_previous(struct queue *queue, struct action *action)
{
	action->kind = ACTION_END;
	action->previous = queue->previous.half;
	action->previous_serial = queue->previous.serial;
	queue->previous.slice_over = true;
}

/*
 * Ends a session if the device's last one has used its time slice, and
 * a request of at least the same rank waits.
 */
static bool end_slice(const struct queues *queues, struct queue *queue,
	int score, int64_t now_ms, struct action *action)
{
	struct busy *busy = &queue->busy;

	if (!busy->half.conn || !used_slice(queue, now_ms))
		return false;
	if (is_behind_idle(queues, queue, now_ms)) {
		end_previous(queue, action);
		return true;
	}
	if (!queue->untaken || now_ms - queue->untaken_ms < slice_ms(queue) ||
		busy->slice_over)
		return false;
	if (may_end_previous(queues, queue, score, now_ms))
		end_previous(queue, action);
	if (may_end(queues, queue, busy, score, now_ms)) {
		action->kind = ACTION_END;
		action->half = busy->half;
		action->serial = busy->serial;
		busy->slice_over = true;
	}
	return action->kind == ACTION_END;
}

/* Whether an invitation of that score may be sent now. */
static bool may_send(const struct queue *queue, const struct pending *next,
	int score, int64_t now_ms)
{
	if (next->elsewhere && queue->away_ms &&
		now_ms - queue->away_ms < QUEUE_AWAY_MS)
		return false;
	if (!queue->busy.half.conn)
		return !queue->untaken ||
		       now_ms - queue->untaken_ms >= QUEUE_UNTAKEN_MS;
	/* An invitation of a low rank would block better ones. */
	return !queue->untaken && (queue->parallel || score <= SCORE_AHEAD ||
					  used_slice(queue, now_ms));
}

static void send_it(struct queues *queues, struct pending *pending,
	int64_t now_ms, struct action *action)
{
	struct queue *queue = pending->queue;
	struct holder *source = widest(pending);

	action->kind = ACTION_SEND;
	memcpy(action->from, pending->pair.id[SIDE_CLIENT], ID_LEN);
	memcpy(action->key, pending->key[SIDE_SERVER].key, ID_LEN);
	queue->waiting--;
	queues->waiting--;
	if (pending->elsewhere) {
		action->found = *pending->elsewhere;
		pending->stage = STAGE_AWAY;
		queue->away_ms = now_ms;
	} else {
		pending->stage = STAGE_SENT;
		queue->untaken = true;
		queue->untaken_ms = now_ms;
		queue->sent++;
	}
	if (source)
		source->last_served = ++queues->last_serial;
}

static bool waits_for_time(
	const struct queues *queues, const struct queue *queue, int64_t now_ms)
{
	return queue->waiting || (queue->sent && queue->busy.half.conn) ||
	       is_behind_idle(queues, queue, now_ms);
}

/* Everything is sent, whatever its rank. */
static void schedule_all(struct queues *queues, struct queue *queue,
	int64_t now_ms, struct action *action)
{
	struct pending *next = queue->waiting ? queue->first : NULL;

	while (next && next->stage != STAGE_WAITS)
		next = next->queue_next;
	if (next)
		send_it(queues, next, now_ms, action);
	else if (waits_for_time(queues, queue, now_ms))
		action->kind = ACTION_WAIT;
}

/* The queue exists; this action may empty it. */
static void schedule(struct queues *queues, struct queue *queue, bool present,
	int64_t now_ms, struct action *action)
{
	bool is_late = queue->untaken &&
		       now_ms - queue->untaken_ms >= QUEUE_UNTAKEN_MS;
	int score, sent_score;
	struct pending *next = best(queues, queue, STAGE_WAITS, now_ms, &score);
	struct pending *sent =
		best(queues, queue, STAGE_SENT, now_ms, &sent_score);

	queue->parallel = queue->parallel && !is_late;
	if (end_slice(queues, queue, score < sent_score ? score : sent_score,
		    now_ms, action)) {
		/* It is busy until that session is over. */
	} else if (next && present && may_send(queue, next, score, now_ms)) {
		send_it(queues, next, now_ms, action);
	} else if (next && present && sent && queue->busy.half.conn &&
		   !queue->parallel && score <= SCORE_AHEAD &&
		   score < sent_score) {
		/* An unknown key ends the device's attempt at once. */
		action->kind = ACTION_WITHDRAW;
		action->withdrawn = sent;
		queue->untaken = false;
	} else if (waits_for_time(queues, queue, now_ms)) {
		action->kind = ACTION_WAIT;
	}
}

void queues_schedule(struct queues *queues, const uint8_t target[ID_LEN],
	bool present, bool all, int64_t now_ms, struct action *action)
{
	struct queue *queue;

	queues_forget(queues, now_ms);
	*action = (struct action){.kind = ACTION_NONE};
	queue = queue_find(queues, target);
	if (!queue)
		return;
	if (all && present) {
		schedule_all(queues, queue, now_ms, action);
	} else {
		action->compared = queue->count < QUEUE_COMPARED
					   ? queue->count
					   : QUEUE_COMPARED;
		schedule(queues, queue, present, now_ms, action);
	}
	if (waits_for_time(queues, queue, now_ms))
		queue_activate(queues, queue);
	else
		queue_deactivate(queues, queue);
	queue_tidy(queues, queue);
}
