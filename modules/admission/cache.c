/* SPDX-License-Identifier: MPL-2.0 */

/* Answers that still count, by question. */

#include <stdlib.h>
#include <string.h>

#include "cache.h"

struct cached {
	UT_hash_handle hh;
	int64_t until_ms;
	struct answer answer;
	uint8_t key[ID_LEN];
};

static void drop(struct cache *cache, struct cached *entry)
{
	HASH_DEL(cache->all, entry);
	free(entry);
}

static struct cached *find(const struct cache *cache, const uint8_t *key)
{
	struct cached *entry;

	HASH_FIND(hh, cache->all, key, ID_LEN, entry);
	return entry;
}

bool cache_get(struct cache *cache, const uint8_t key[ID_LEN], int64_t now_ms,
	struct answer *out)
{
	struct cached *entry = find(cache, key);

	if (!entry)
		return false;
	if (now_ms >= entry->until_ms) {
		drop(cache, entry);
		return false;
	}
	*out = entry->answer;
	/* How long it counts from now on. */
	out->keep_ms = entry->until_ms - now_ms;
	return true;
}

void cache_put(struct cache *cache, const uint8_t key[ID_LEN],
	const struct answer *answer, int64_t until_ms, size_t most)
{
	struct cached *entry = find(cache, key);

	if (entry)
		drop(cache, entry);
	while (cache->all && cache_count(cache) >= most)
		drop(cache, cache->all);
	entry = most ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry)
		return;
	memcpy(entry->key, key, ID_LEN);
	entry->answer = *answer;
	entry->until_ms = until_ms;
	HASH_ADD_KEYPTR(hh, cache->all, entry->key, ID_LEN, entry);
	if (!entry->hh.tbl)
		free(entry); /* uthash did not add it: out of memory */
}

size_t cache_count(const struct cache *cache)
{
	return HASH_COUNT(cache->all);
}

void cache_clear(struct cache *cache)
{
	while (cache->all)
		drop(cache, cache->all);
}
