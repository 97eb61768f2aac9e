/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "queue.h"

struct queue_source {
	UT_hash_handle hh;
	struct queue_source *next, *prev;
	struct queue_source *next_with, *prev_with;
	struct queue_item
		*items; /* utlist, never empty but while one is added */
	unsigned count;
	struct queue_key key;
};

static bool is_exempt(const struct queue_key *key)
{
	static const struct queue_key exempt;

	return memcmp(key, &exempt, sizeof(exempt)) == 0;
}

/* What was given back may make a source have more than its share. */
static struct queue_source **list_of(
	struct queue *queue, const struct queue_source *source)
{
	return &queue->with[source->count < QUEUE_PER_SOURCE
				    ? source->count
				    : QUEUE_PER_SOURCE];
}

static void count(struct queue *queue, struct queue_source *source, int by)
{
	struct queue_source **list = list_of(queue, source);
	bool counts = !is_exempt(&source->key);

	if (counts && source->count)
		DL_DELETE2(*list, source, prev_with, next_with);
	source->count += (unsigned)by;
	list = list_of(queue, source);
	if (counts && source->count)
		DL_APPEND2(*list, source, prev_with, next_with);
}

static struct queue_source *find(
	const struct queue *queue, const struct queue_key *key)
{
	struct queue_source *source;

	HASH_FIND(hh, queue->by_key, key, sizeof(*key), source);
	return source;
}

static struct queue_source *find_or_add(
	struct queue *queue, const struct queue_key *key)
{
	struct queue_source *source = find(queue, key);

	if (source)
		return source;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	source->key = *key;
	HASH_ADD_KEYPTR(
		hh, queue->by_key, &source->key, sizeof(source->key), source);
	if (!source->hh.tbl) { /* uthash: out of memory */
		free(source);
		return NULL;
	}
	DL_APPEND(queue->first, source);
	return source;
}

unsigned queue_held(const struct queue *queue, const struct queue_key *key)
{
	const struct queue_source *source = find(queue, key);

	return source ? source->count : 0;
}

int queue_return(struct queue *queue, struct queue_item *item,
	const struct queue_key *key)
{
	item->source = find_or_add(queue, key);
	if (!item->source)
		return -1;
	DL_APPEND(item->source->items, item);
	count(queue, item->source, 1);
	return 0;
}

static void remove_item(struct queue *queue, struct queue_item *item)
{
	struct queue_source *source = item->source;

	item->source = NULL;
	DL_DELETE(source->items, item);
	count(queue, source, -1);
	if (source->items)
		return;
	DL_DELETE(queue->first, source);
	HASH_DEL(queue->by_key, source);
	free(source);
}

/* The newest of the source that has most, if that will still have as many as
 * the one that has `held` and gets the place. */
static struct queue_item *victim_for(const struct queue *queue, unsigned held)
{
	for (unsigned most = QUEUE_PER_SOURCE; most > held + 1; most--)
		if (queue->with[most])
			return queue->with[most]->items->prev;
	return NULL;
}

enum queue_room queue_add(struct queue *queue, struct queue_item *item,
	const struct queue_key *key, unsigned free, unsigned share,
	struct queue_item **victim)
{
	unsigned held = is_exempt(key) ? 0 : queue_held(queue, key);

	*victim = NULL;
	if (held >= share || held >= QUEUE_PER_SOURCE)
		return QUEUE_SOURCE_FULL;
	if (!free)
		*victim = victim_for(queue, held);
	if (!free && !*victim)
		return QUEUE_FULL;
	if (queue_return(queue, item, key) != 0)
		return QUEUE_NO_MEMORY;
	if (!*victim)
		return QUEUE_ROOM;
	remove_item(queue, *victim);
	return QUEUE_MADE_ROOM;
}

struct queue_item *queue_take(struct queue *queue)
{
	struct queue_source *source = queue->first;
	struct queue_item *item;

	if (!source)
		return NULL;
	item = source->items;
	DL_DELETE(queue->first, source);
	DL_APPEND(queue->first, source);
	remove_item(queue, item);
	return item;
}

static void take_of(struct queue *queue, const struct queue_source *source,
	queue_wanted_fn *wanted, void *arg, struct queue_item **taken)
{
	struct queue_item *item = source->items, *after;

	for (; item; item = after) {
		after = item->next;
		if (!wanted(item, arg))
			continue;
		remove_item(queue, item);
		DL_APPEND(*taken, item);
	}
}

struct queue_item *queue_take_all(
	struct queue *queue, queue_wanted_fn *wanted, void *arg)
{
	struct queue_item *taken = NULL;
	struct queue_source *source, *next;

	for (source = queue->first; source; source = next) {
		next = source->next;
		take_of(queue, source, wanted, arg, &taken);
	}
	return taken;
}

struct queue_item *queue_take_of(struct queue *queue,
	const struct queue_key *key, queue_wanted_fn *wanted, void *arg)
{
	const struct queue_source *source = find(queue, key);
	struct queue_item *taken = NULL;

	if (source)
		take_of(queue, source, wanted, arg, &taken);
	return taken;
}
