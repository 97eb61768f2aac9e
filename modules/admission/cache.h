/* SPDX-License-Identifier: MPL-2.0 */

/*
 * cache.h - answers that still count, by question.  Pure but for allocation;
 * time is passed in, and the caller guards it.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/id_hash.h"
#include "answer.h"

struct cached;

struct cache {
	struct cached *all; /* uthash, by question; in the order of arrival */
};

/* False: there is none that still counts. */
bool cache_get(struct cache *cache, const uint8_t key[ID_LEN], int64_t now_ms,
	struct answer *out);
/* Keeps it until then, in the place of the one before.  The oldest gives way to
 * it if there would be more than `most`.  Without memory it is not kept. */
void cache_put(struct cache *cache, const uint8_t key[ID_LEN],
	const struct answer *answer, int64_t until_ms, size_t most);
size_t cache_count(const struct cache *cache);
void cache_clear(struct cache *cache);

#endif
