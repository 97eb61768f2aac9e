/* SPDX-License-Identifier: MPL-2.0 */

/* Remembers pairs with successful sessions, and sources of useless requests. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/requests/reputation.h"

struct memory {
	UT_hash_handle hh;
	struct memory *next, *prev;
	int64_t until_ms;
	int64_t wasted_ms; /* of a source */
	uint8_t key[ID_LEN];
};

static void drop_oldest(struct memories *memories)
{
	struct memory *memory = memories->first;

	DL_DELETE(memories->first, memory);
	HASH_DEL(memories->by_key, memory);
	memories->count--;
	free(memory);
}

/* NULL: not remembered, or not any more. */
static struct memory *recall(const struct memories *memories,
	const uint8_t key[ID_LEN], int64_t now_ms)
{
	struct memory *memory;

	HASH_FIND(hh, memories->by_key, key, ID_LEN, memory);
	return memory && memory->until_ms > now_ms ? memory : NULL;
}

static struct memory *make(struct memories *memories, const uint8_t *key)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memcpy(memory->key, key, ID_LEN);
	HASH_ADD_KEYPTR(hh, memories->by_key, memory->key, ID_LEN, memory);
	if (memory->hh.tbl) {
		memories->count++;
		return memory;
	}
	free(memory); /* uthash did not add it: out of memory */
	return NULL;
}

/* If memory is short, it is not remembered: NULL. */
static struct memory *remember(struct memories *memories,
	const uint8_t key[ID_LEN], int64_t until_ms, int64_t now_ms)
{
	struct memory *memory;

	while (memories->first && (memories->count >= REPUTATION_MOST ||
					  memories->first->until_ms <= now_ms))
		drop_oldest(memories);
	HASH_FIND(hh, memories->by_key, key, ID_LEN, memory);
	if (memory)
		DL_DELETE(memories->first, memory);
	else
		memory = make(memories, key);
	if (!memory)
		return NULL;
	memory->until_ms = until_ms;
	DL_APPEND(memories->first, memory);
	return memory;
}

/*
 * Independent of which of the two requests.  Nobody can choose the key of
 * another pair, because IDs are hashes.
 */
static void pair_key(
	const uint8_t *one, const uint8_t *other, uint8_t key[ID_LEN])
{
	for (int i = 0; i < ID_LEN; i++)
		key[i] = one[i] ^ other[i];
}

void reputation_finish(struct reputation *reputation)
{
	while (reputation->friends.first)
		drop_oldest(&reputation->friends);
	while (reputation->idle.first)
		drop_oldest(&reputation->idle);
}

enum reputation_rank reputation_rank(const struct reputation *reputation,
	const uint8_t asker[ID_LEN], const uint8_t target[ID_LEN],
	const uint8_t source[ID_LEN], int64_t now_ms)
{
	const struct memory *memory;
	uint8_t key[ID_LEN];

	pair_key(asker, target, key);
	if (recall(&reputation->friends, key, now_ms))
		return REPUTATION_FRIEND;
	memory = recall(&reputation->idle, source, now_ms);
	return memory && memory->wasted_ms >= REPUTATION_WASTE_MS
		       ? REPUTATION_IDLE
		       : REPUTATION_UNKNOWN;
}

void reputation_praise(struct reputation *reputation, const uint8_t one[ID_LEN],
	const uint8_t other[ID_LEN], int64_t now_ms)
{
	uint8_t key[ID_LEN];

	pair_key(one, other, key);
	(void)remember(&reputation->friends, key,
		now_ms + REPUTATION_FRIEND_FOR_MS, now_ms);
}

void reputation_blame(struct reputation *reputation,
	const uint8_t source[ID_LEN], int64_t wasted_ms, int64_t now_ms)
{
	struct memory *memory = recall(&reputation->idle, source, now_ms);

	if (memory)
		wasted_ms += memory->wasted_ms;
	if (wasted_ms > REPUTATION_WASTE_MS)
		wasted_ms = REPUTATION_WASTE_MS;
	/* Short times add up only within an hour of the first one. */
	if (!memory || wasted_ms == REPUTATION_WASTE_MS)
		memory = remember(&reputation->idle, source,
			now_ms + REPUTATION_IDLE_FOR_MS, now_ms);
	if (memory)
		memory->wasted_ms = wasted_ms;
}
