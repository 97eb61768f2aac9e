/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "relay/requests/queue_eviction.h"

static bool is_from(const struct pending *pending,
	const uint8_t source[][ID_LEN], unsigned level, unsigned levels)
{
	return pending->levels == levels &&
	       memcmp(pending->source[level]->key, source[level], ID_LEN) == 0;
}

/* The oldest of one requester or one source. */
static struct pending *oldest_of(const struct queue *queue,
	struct pending *for_it, const uint8_t source[][ID_LEN], unsigned levels,
	int64_t each)
{
	struct pending *oldest[1 + SOURCE_LEVELS] = {NULL};
	int64_t count[1 + SOURCE_LEVELS] = {0};

	if (!each)
		return NULL;
	for (struct pending *p = queue->first; p; p = p->queue_next) {
		if (memcmp(p->pair.id[SIDE_CLIENT],
			    for_it->pair.id[SIDE_CLIENT], ID_LEN) == 0 &&
			!count[levels]++)
			oldest[levels] = p;
		for (unsigned i = 0; i < levels; i++)
			if (is_from(p, source, i, levels) && !count[i]++)
				oldest[i] = p;
	}
	for (unsigned i = 0; i <= levels; i++)
		if (count[i] >= each)
			return oldest[i];
	return NULL;
}

/* Higher values are dropped first. */
struct claim {
	enum reputation_rank rank;
	unsigned held; /* by its source, including the new one */
	int side_rank;
};

static bool goes_first(const struct claim *one, const struct claim *other)
{
	if (one->rank != other->rank)
		return one->rank > other->rank;
	if (one->held != other->held)
		return one->held > other->held;
	return one->side_rank >= other->side_rank;
}

static struct claim claim_of(const struct queues *queues,
	const struct pending *pending, bool same_source, int64_t now_ms)
{
	const struct holder *share = widest(pending);

	return (struct claim){queue_rank(queues, pending, now_ms),
		(share ? share->held : 1) + (same_source ? 1 : 0),
		queue_side_rank(pending)};
}

static struct pending *worst_of(const struct queues *queues,
	const struct queue *queue, struct pending *for_it,
	const uint8_t source[][ID_LEN], unsigned levels, int64_t now_ms)
{
	const uint8_t *asker = for_it->pair.id[SIDE_CLIENT];
	struct pending *victim = for_it, *p = queue->first;
	/* Among equals drop an older one: the new one has had no chance yet. */
	struct claim worst = {
		reputation_rank(&queues->reputation, asker, queue->id,
			levels ? source[levels - 1] : asker, now_ms),
		1, 0};

	/* From the newest to the oldest: the first one's queue_prev is the
	 * last. */
	for (unsigned left = queue->count; left; left--) {
		struct claim claim;
		bool same;

		p = p->queue_prev;
		same = levels && is_from(p, source, levels - 1, levels);
		claim = claim_of(queues, p, same, now_ms);
		if (!goes_first(&claim, &worst))
			continue;
		worst = claim;
		victim = p;
	}
	return victim;
}

struct pending *queues_victim(struct queues *queues, struct pending *for_it,
	const uint8_t source[][ID_LEN], unsigned levels, int64_t each,
	int64_t all, int64_t now_ms)
{
	const struct queue *queue =
		queue_find(queues, for_it->pair.id[SIDE_SERVER]);
	struct pending *victim;

	if (!queue)
		return NULL;
	victim = oldest_of(queue, for_it, source, levels, each);
	if (victim || !all || queue->count < all)
		return victim;
	return worst_of(queues, queue, for_it, source, levels, now_ms);
}
