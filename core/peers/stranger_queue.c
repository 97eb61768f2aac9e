/* SPDX-License-Identifier: MPL-2.0 */

/* Chooses the next handshake: sources take turns, however much each sends. */

#include "peers/conn_state.h"
#include "peers/stranger_queue.h"
#include "peers/strangers_state.h"

/* If more strangers of a source wait, the newest are served first: the oldest
 * would all be too late. */
#define IN_ORDER 64
/* Suspects get one turn in SUSPECT_TURN while other sources wait as well. */
#define SUSPECT_TURN 4

static void count_waiting(
	struct strangers *all, struct stranger_source *source, int64_t now_ms)
{
	for (; source; source = source->parent) {
		if (source->waiting++)
			continue;
		if (source->parent) {
			TAILQ_INSERT_TAIL(
				&source->parent->narrower_turns, source, turn);
			continue;
		}
		source->suspect =
			suspects_have(&all->suspects, source->hash, now_ms);
		TAILQ_INSERT_TAIL(&all->turns[source->suspect], source, turn);
	}
}

static struct source_list *turns_of(
	struct strangers *all, const struct stranger_source *source)
{
	return source->parent ? &source->parent->narrower_turns
			      : &all->turns[source->suspect];
}

void stranger_queue_remove(struct strangers *all, struct stranger *stranger)
{
	struct stranger_source *source = stranger->source;

	if (stranger->queue == STRANGER_NO_QUEUE)
		return;
	TAILQ_REMOVE(&source->queues[stranger->queue], stranger, turn);
	stranger->queue = STRANGER_NO_QUEUE;
	all->waiting--;
	for (; source; source = source->parent)
		if (--source->waiting == 0)
			TAILQ_REMOVE(turns_of(all, source), source, turn);
}

void stranger_queue_add(struct strangers *all, struct relay_conn *conn,
	enum stranger_queue queue, int64_t now_ms)
{
	struct stranger *stranger = conn->stranger;

	if (stranger->queue != STRANGER_NO_QUEUE)
		return;
	stranger->queue = (uint8_t)queue;
	TAILQ_INSERT_TAIL(&stranger->source->queues[queue], stranger, turn);
	all->waiting++;
	count_waiting(all, stranger->source, now_ms);
}

bool stranger_queue_has(const struct relay_conn *conn)
{
	return conn->stranger && conn->stranger->queue != STRANGER_NO_QUEUE;
}

/* A source has had its turn: moves it behind the others, and checks again
 * whether it is suspect. */
static void go_behind(
	struct strangers *all, struct stranger_source *source, int64_t now_ms)
{
	TAILQ_REMOVE(turns_of(all, source), source, turn);
	if (!source->parent)
		source->suspect =
			suspects_have(&all->suspects, source->hash, now_ms);
	TAILQ_INSERT_TAIL(turns_of(all, source), source, turn);
}

static struct stranger *next_of(struct stranger_source *source)
{
	struct stranger_list *queue = &source->queues[source->queue];

	/* Handshakes that have begun and new ones take turns. */
	source->queue = !source->queue;
	if (TAILQ_EMPTY(queue))
		queue = &source->queues[source->queue];
	return source->waiting > IN_ORDER ? TAILQ_LAST(queue, stranger_list)
					  : TAILQ_FIRST(queue);
}

struct relay_conn *stranger_queue_next(struct strangers *all, int64_t now_ms)
{
	struct source_list *turns =
		&all->turns[++all->turn % SUSPECT_TURN == 0];
	struct stranger_source *source;
	struct stranger *stranger;

	if (all->waiting == 0)
		return NULL;
	if (TAILQ_EMPTY(turns))
		turns = &all->turns[turns == &all->turns[0]];
	source = TAILQ_FIRST(turns);
	go_behind(all, source, now_ms);
	while (!TAILQ_EMPTY(&source->narrower_turns)) {
		source = TAILQ_FIRST(&source->narrower_turns);
		go_behind(all, source, now_ms);
	}
	stranger = next_of(source);
	stranger_queue_remove(all, stranger);
	return stranger->conn;
}
