/* SPDX-License-Identifier: MPL-2.0 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "cluster/asks/asks.h"

#define SOURCE_KEY 7 /* length of an address, and its first bytes */

/* Where askers come from, while any of them waits. */
struct asks_source {
	UT_hash_handle hh;
	unsigned count;
	uint8_t key[SOURCE_KEY];
};

struct pending {
	UT_hash_handle hh;
	struct pending *next, *prev; /* of the same queue */
	struct asks_source *source;
	struct relay_ticket ticket;
	struct message_ask ask; /* its number is the key */
	int64_t began_ms;
	bool sent;     /* to the owner */
	bool again;    /* it is the turn of the second find, or was */
	bool repeated; /* the second find was made */
};

struct asks {
	const struct asks_calls *calls;
	void *arg;
	struct pending *by_number;   /* uthash */
	struct asks_source *sources; /* uthash, by key */
	/* All, by whether `again`.  All have the same time limit, so they are
	 * in the order of their deadlines. */
	struct pending *queue[2];
	uint64_t number; /* of the last one */
	int64_t now_ms;  /* of the last call */
};

const char *const asks_end_words[] = {
	[ASKS_MET] = "met",
	[ASKS_NOBODY] = "nobody",
	[ASKS_LEFT] = "left",
	[ASKS_REFUSED] = "refused",
	[ASKS_FAILED] = "failed",
	[ASKS_LATE] = "late",
	[ASKS_AWAY] = "away",
	[ASKS_FULL] = "full",
	[ASKS_ENDS] = NULL,
};

static const enum asks_end ends[] = {
	[ANSWER_INVITED] = ASKS_MET,
	[ANSWER_ABSENT] = ASKS_LEFT,
	[ANSWER_REFUSED] = ASKS_REFUSED,
	[ANSWER_FULL] = ASKS_FAILED,
	[ANSWER_ERROR] = ASKS_FAILED,
};
static_assert(sizeof(ends) / sizeof(ends[0]) == ANSWER_ENDS,
	"an end for every answer");

const char *asks_end_word(enum asks_end end)
{
	assert((unsigned)end < ASKS_ENDS);
	return asks_end_words[end];
}

struct asks *asks_new(
	const struct asks_calls *calls, void *arg, uint64_t random)
{
	struct asks *asks = calloc(1, sizeof(*asks));

	if (!asks)
		return NULL;
	asks->calls = calls;
	asks->arg = arg;
	asks->number = random;
	return asks;
}

static struct asks_source *source_take(
	struct asks *asks, const struct message_place *from)
{
	uint8_t key[SOURCE_KEY] = {from->len};
	struct asks_source *source;

	memcpy(key + 1, from->address,
		from->len < SOURCE_KEY - 1 ? from->len : SOURCE_KEY - 1);
	HASH_FIND(hh, asks->sources, key, SOURCE_KEY, source);
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		memcpy(source->key, key, SOURCE_KEY);
		HASH_ADD(hh, asks->sources, key, SOURCE_KEY, source);
		if (!source->hh.tbl) {
			free(source); /* out of memory */
			return NULL;
		}
	}
	if (source->count == ASKS_PER_SOURCE)
		return NULL;
	source->count++;
	return source;
}

static void source_give(struct asks *asks, struct asks_source *source)
{
	if (--source->count)
		return;
	HASH_DEL(asks->sources, source);
	free(source);
}

static struct pending *add(struct asks *asks, const struct message_ask *ask)
{
	struct pending *p;

	if (asks_count(asks) >= ASKS_MOST)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->source = source_take(asks, &ask->from);
	if (!p->source) {
		free(p);
		return NULL;
	}
	p->ask = *ask;
	p->ask.number = ++asks->number;
	HASH_ADD(hh, asks->by_number, ask.number, sizeof(p->ask.number), p);
	if (!p->hh.tbl) {
		source_give(asks, p->source);
		free(p); /* out of memory */
		return NULL;
	}
	DL_APPEND(asks->queue[0], p);
	return p;
}

static void settle(struct asks *asks, struct pending *p, enum asks_end end,
	const struct message_answer *answer)
{
	HASH_DEL(asks->by_number, p);
	DL_DELETE(asks->queue[p->again], p);
	source_give(asks, p->source);
	asks->calls->settle(asks->arg, &p->ticket, end, &p->ask, answer,
		asks->now_ms - p->began_ms);
	free(p);
}

void asks_free(struct asks *asks)
{
	if (!asks)
		return;
	for (int i = 0; i < 2; i++)
		while (asks->queue[i])
			settle(asks, asks->queue[i], ASKS_AWAY, NULL);
	free(asks);
}

static int find(struct asks *asks, const struct pending *p)
{
	return asks->calls->find(asks->arg, p->ask.number, &p->ask);
}

void asks_begin(struct asks *asks, const struct relay_ticket *ticket,
	const struct message_ask *ask, int64_t now_ms)
{
	struct pending *p = add(asks, ask);

	asks->now_ms = now_ms;
	if (!p) {
		asks->calls->settle(asks->arg, ticket, ASKS_FULL, ask, NULL, 0);
		return;
	}
	p->ticket = *ticket;
	p->began_ms = now_ms;
	if (find(asks, p) < 0)
		settle(asks, p, ASKS_AWAY, NULL);
}

static struct pending *pending_of(struct asks *asks, uint64_t number)
{
	struct pending *p;

	HASH_FIND(hh, asks->by_number, &number, sizeof(number), p);
	return p;
}

/* If it cannot be sent again, the answer to the first one may still come. */
static void repeat_if_due(struct asks *asks, struct pending *p)
{
	if (p->again && p->sent && !p->repeated) {
		p->repeated = true;
		(void)find(asks, p);
	}
}

void asks_found(
	struct asks *asks, uint64_t number, enum find_end end, int64_t now_ms)
{
	struct pending *p = pending_of(asks, number);

	asks->now_ms = now_ms;
	if (!p)
		return;
	switch (end) {
	case FIND_SENT:
		p->sent = true;
		repeat_if_due(asks, p);
		break;
	case FIND_OURS:
		/* Else it is not here: an entry that will be removed. */
		p->repeated = asks->calls->ours(asks->arg, &p->ask);
		if (!p->repeated)
			settle(asks, p, ASKS_NOBODY, NULL);
		break;
	case FIND_NOBODY:
		settle(asks, p, ASKS_NOBODY, NULL);
		break;
	case FIND_UNKNOWN: /* of the second one, it says nothing */
		if (!p->sent)
			settle(asks, p, ASKS_AWAY, NULL);
		break;
	}
}

bool asks_answered(
	struct asks *asks, const struct message_answer *answer, int64_t now_ms)
{
	struct pending *p = pending_of(asks, answer->number);
	enum asks_end end;

	asks->now_ms = now_ms;
	if (!p)
		return false;
	end = ends[answer->end];
	settle(asks, p, end, end == ASKS_MET ? answer : NULL);
	return true;
}

int64_t asks_tick(struct asks *asks, int64_t now_ms)
{
	static const int64_t limit_ms[2] = {ASKS_AGAIN_MS, ASKS_LIMIT_MS};
	int64_t wait_ms = ASKS_IDLE_MS;
	struct pending *p;

	asks->now_ms = now_ms;
	while ((p = asks->queue[0]) && now_ms - p->began_ms >= ASKS_AGAIN_MS) {
		DL_DELETE(asks->queue[0], p);
		p->again = true;
		DL_APPEND(asks->queue[1], p);
		/* One for which this comes too late is not sent again. */
		if (now_ms - p->began_ms < ASKS_LIMIT_MS)
			repeat_if_due(asks, p);
	}
	while ((p = asks->queue[1]) && now_ms - p->began_ms >= ASKS_LIMIT_MS)
		settle(asks, p, ASKS_LATE, NULL);
	for (int i = 0; i < 2; i++) {
		p = asks->queue[i];
		if (p && p->began_ms + limit_ms[i] - now_ms < wait_ms)
			wait_ms = p->began_ms + limit_ms[i] - now_ms;
	}
	return wait_ms;
}

unsigned asks_count(const struct asks *asks)
{
	return HASH_COUNT(asks->by_number);
}
