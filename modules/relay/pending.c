/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions that two devices were invited to and have not begun. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pending.h"

struct pending_key {
	UT_hash_handle hh;
	struct pending *pending;
	uint8_t key[ID_LEN];
};

/* A device that asked for others. */
struct asker {
	UT_hash_handle hh;
	unsigned sessions;
	uint8_t id[ID_LEN];
};

struct pending {
	struct pending *next, *prev;
	struct pending_key key[2]; /* by side; in the table while unused */
	bool used[2];
	struct asker *asker; /* borrowed */
	int64_t deadline_ms;
	struct pending_pair pair;
};

int pending_init(struct pending_table *table)
{
	memset(table, 0, sizeof(*table));
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void pending_bound(
	struct pending_table *table, int64_t most, int64_t most_of_one)
{
	pthread_mutex_lock(&table->lock);
	table->most = most;
	table->most_of_one = most_of_one;
	pthread_mutex_unlock(&table->lock);
}

/* NULL: it has asked for too many, or there is no memory. */
static struct asker *asker_enter(struct pending_table *table, const uint8_t *id)
{
	struct asker *asker;

	HASH_FIND(hh, table->askers, id, ID_LEN, asker);
	if (asker && table->most_of_one &&
		asker->sessions >= table->most_of_one)
		return NULL;
	if (!asker) {
		asker = calloc(1, sizeof(*asker));
		if (!asker)
			return NULL;
		memcpy(asker->id, id, ID_LEN);
		HASH_ADD_KEYPTR(hh, table->askers, asker->id, ID_LEN, asker);
		if (!asker->hh.tbl) { /* uthash found no memory */
			free(asker);
			return NULL;
		}
	}
	asker->sessions++;
	return asker;
}

static void asker_leave(struct pending_table *table, struct asker *asker)
{
	if (--asker->sessions)
		return;
	HASH_DEL(table->askers, asker);
	free(asker);
}

static void use_up(
	struct pending_table *table, struct pending *pending, int side)
{
	if (pending->used[side])
		return;
	HASH_DEL(table->keys, &pending->key[side]);
	pending->used[side] = true;
}

static void drop(struct pending_table *table, struct pending *pending)
{
	use_up(table, pending, SIDE_CLIENT);
	use_up(table, pending, SIDE_SERVER);
	if (pending->prev)
		pending->prev->next = pending->next;
	else
		table->first = pending->next;
	if (pending->next)
		pending->next->prev = pending->prev;
	else
		table->last = pending->prev;
	table->sessions--;
	asker_leave(table, pending->asker);
	free(pending);
}

void pending_finish(struct pending_table *table)
{
	while (table->first)
		drop(table, table->first);
	pthread_mutex_destroy(&table->lock);
}

static void append(struct pending_table *table, struct pending *pending)
{
	pending->prev = table->last;
	if (table->last)
		table->last->next = pending;
	else
		table->first = pending;
	table->last = pending;
	table->sessions++;
}

static struct pending_key *find(struct pending_table *table, const uint8_t *key)
{
	struct pending_key *found;

	HASH_FIND(hh, table->keys, key, ID_LEN, found);
	return found;
}

/* Takes pending over, also on failure. */
static int insert(struct pending_table *table, struct pending *pending)
{
	if (table->most && table->sessions >= table->most) {
		free(pending);
		return -1;
	}
	pending->asker = asker_enter(table, pending->pair.id[SIDE_CLIENT]);
	if (!pending->asker) {
		free(pending);
		return -1;
	}
	append(table, pending);
	for (int side = 0; side < 2; side++) {
		struct pending_key *key = &pending->key[side];

		key->pending = pending;
		HASH_ADD_KEYPTR(hh, table->keys, key->key, ID_LEN, key);
		if (!key->hh.tbl) { /* uthash found no memory */
			pending->used[side] = true;
			pending->used[1] |= side == 0;
			drop(table, pending);
			return -1;
		}
	}
	return 0;
}

int pending_add(struct pending_table *table, const uint8_t *client,
	const uint8_t *server, int64_t deadline_ms, uint8_t key[2][ID_LEN])
{
	struct pending *pending = calloc(1, sizeof(*pending));
	const size_t len = sizeof(uint8_t[2][ID_LEN]);
	int result;

	if (!pending)
		return -1;
	if (getrandom(key, len, 0) != (ssize_t)len) {
		free(pending);
		return -1;
	}
	for (int side = 0; side < 2; side++)
		memcpy(pending->key[side].key, key[side], ID_LEN);
	memcpy(pending->pair.id[SIDE_CLIENT], client, ID_LEN);
	memcpy(pending->pair.id[SIDE_SERVER], server, ID_LEN);
	pending->deadline_ms = deadline_ms;
	pthread_mutex_lock(&table->lock);
	result = insert(table, pending);
	pthread_mutex_unlock(&table->lock);
	return result;
}

enum pending_answer pending_claim(struct pending_table *table,
	const uint8_t *key, struct place place, int64_t now_ms,
	uint8_t other[ID_LEN], int64_t *deadline_ms, struct pending_pair *pair)
{
	enum pending_answer answer = PENDING_UNKNOWN;
	struct pending_key *found;
	struct pending *pending;
	int side;

	pthread_mutex_lock(&table->lock);
	found = find(table, key);
	if (!found || found->pending->deadline_ms <= now_ms)
		goto out;
	pending = found->pending;
	side = found == &pending->key[SIDE_SERVER];
	use_up(table, pending, side);
	if (pending->pair.half.conn) {
		answer = PENDING_SECOND;
		*pair = pending->pair;
		drop(table, pending);
		goto out;
	}
	answer = PENDING_FIRST;
	pending->pair.half = place;
	pending->pair.half_side = side;
	*deadline_ms = pending->deadline_ms;
	memcpy(other, pending->key[1 - side].key, ID_LEN);
out:
	pthread_mutex_unlock(&table->lock);
	return answer;
}

void pending_abandon(struct pending_table *table, const uint8_t *other)
{
	struct pending_key *found;

	pthread_mutex_lock(&table->lock);
	found = find(table, other);
	if (found)
		drop(table, found->pending);
	pthread_mutex_unlock(&table->lock);
}

unsigned pending_expire(
	struct pending_table *table, int64_t now_ms, int64_t *next_ms)
{
	unsigned count = 0;

	pthread_mutex_lock(&table->lock);
	while (table->first && table->first->deadline_ms <= now_ms) {
		drop(table, table->first);
		count++;
	}
	*next_ms = table->first ? table->first->deadline_ms : INT64_MAX;
	pthread_mutex_unlock(&table->lock);
	return count;
}

unsigned pending_sessions(struct pending_table *table)
{
	unsigned count;

	pthread_mutex_lock(&table->lock);
	count = table->sessions;
	pthread_mutex_unlock(&table->lock);
	return count;
}

unsigned pending_keys(struct pending_table *table)
{
	unsigned count;

	pthread_mutex_lock(&table->lock);
	count = HASH_COUNT(table->keys);
	pthread_mutex_unlock(&table->lock);
	return count;
}
