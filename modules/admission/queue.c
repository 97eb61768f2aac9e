/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "queue.h"

struct queue_source {
	UT_hash_handle hh;
	struct queue_source *next, *prev;
	struct queue_item *items; /* utlist, never empty */
	uint8_t key[ID_LEN];
};

static struct queue_source *find_or_add(
	struct queue *queue, const uint8_t key[ID_LEN])
{
	struct queue_source *source;

	HASH_FIND(hh, queue->by_key, key, ID_LEN, source);
	if (source)
		return source;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	memcpy(source->key, key, ID_LEN);
	HASH_ADD_KEYPTR(hh, queue->by_key, source->key, ID_LEN, source);
	if (!source->hh.tbl) { /* uthash: out of memory */
		free(source);
		return NULL;
	}
	DL_APPEND(queue->first, source);
	return source;
}

int queue_add(struct queue *queue, struct queue_item *item,
	const uint8_t source[ID_LEN])
{
	item->source = find_or_add(queue, source);
	if (!item->source)
		return -1;
	DL_APPEND(item->source->items, item);
	return 0;
}

static void remove_item(struct queue *queue, struct queue_item *item)
{
	struct queue_source *source = item->source;

	item->source = NULL;
	DL_DELETE(source->items, item);
	if (source->items)
		return;
	DL_DELETE(queue->first, source);
	HASH_DEL(queue->by_key, source);
	free(source);
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

struct queue_item *queue_take_all(struct queue *queue,
	bool (*wanted)(const struct queue_item *item, void *arg), void *arg)
{
	struct queue_item *item, *after, *taken = NULL;
	struct queue_source *source, *next;

	for (source = queue->first; source; source = next) {
		next = source->next;
		for (item = source->items; item; item = after) {
			after = item->next;
			if (!wanted(item, arg))
				continue;
			remove_item(queue, item);
			DL_APPEND(taken, item);
		}
	}
	return taken;
}
