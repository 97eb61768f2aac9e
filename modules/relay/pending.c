/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions that two devices were invited to and have not begun. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pending.h"

/* How many of a source's sessions are looked at to find the one to go. */
#define LOOKS 64

struct pending_key {
	UT_hash_handle hh;
	struct pending *pending;
	uint8_t key[ID_LEN];
};

struct pending {
	struct pending *next, *prev;
	/* Of the same widest source, the oldest first. */
	struct pending *source_next, *source_prev;
	struct pending_key key[2]; /* by side; in the table while unused */
	bool used[2];
	unsigned levels;
	struct share *device; /* borrowed, as what follows */
	struct share *source[SOURCE_LEVELS];
	int64_t deadline_ms;
	struct pending_pair pair;
};

int pending_init(struct pending_table *table)
{
	memset(table, 0, sizeof(*table));
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void pending_bound(
	struct pending_table *table, const struct pending_bounds *bounds)
{
	pthread_mutex_lock(&table->lock);
	table->bounds = *bounds;
	pthread_mutex_unlock(&table->lock);
}

static struct shares *shares_of(
	struct pending_table *table, unsigned level, unsigned levels)
{
	return level + 1 == levels ? &table->wide : &table->narrow;
}

static struct share *widest(const struct pending *pending)
{
	return pending->levels ? pending->source[pending->levels - 1] : NULL;
}

/* The list of a share begins with the oldest, whose prev is the newest. */
static void join_source(struct pending *pending)
{
	struct share *share = widest(pending);
	struct pending *first = share ? share->items : NULL;

	pending->source_next = NULL;
	pending->source_prev = first ? first->source_prev : pending;
	if (first) {
		first->source_prev->source_next = pending;
		first->source_prev = pending;
	} else if (share) {
		share->items = pending;
	}
}

static void leave_source(struct pending *pending)
{
	struct share *share = widest(pending);
	struct pending *first = share->items, *next = pending->source_next;

	if (next)
		next->source_prev = pending->source_prev;
	else
		first->source_prev = pending->source_prev;
	if (pending == first)
		share->items = next;
	else
		pending->source_prev->source_next = next;
}

static void give_shares(struct pending_table *table, struct pending *pending)
{
	if (pending->device)
		shares_give(&table->devices, pending->device);
	for (unsigned i = 0; i < pending->levels; i++)
		if (pending->source[i])
			shares_give(shares_of(table, i, pending->levels),
				pending->source[i]);
}

static int take_shares(struct pending_table *table, struct pending *pending,
	const struct source *source)
{
	pending->levels = source->levels;
	pending->device =
		shares_take(&table->devices, pending->pair.id[SIDE_CLIENT]);
	if (!pending->device)
		goto error;
	for (unsigned i = 0; i < source->levels; i++) {
		pending->source[i] = shares_take(
			shares_of(table, i, source->levels), source->key[i]);
		if (!pending->source[i])
			goto error;
	}
	join_source(pending);
	return 0;

error:
	give_shares(table, pending);
	return -1;
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
	if (pending->levels)
		leave_source(pending);
	give_shares(table, pending);
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

static bool reached(int64_t bound, const struct share *share)
{
	return bound && share && share->held >= bound;
}

/*
 * Of a widest source, the one to go: the oldest of those within it that have
 * most, as far as a short look tells; `within` is one that must be among them,
 * or NULL.
 */
static struct pending *oldest_of(
	const struct share *wide, const struct share *within, unsigned level)
{
	struct pending *found = NULL, *pending = wide->items;

	for (int i = 0; i < LOOKS && pending; i++) {
		if ((!within || pending->source[level] == within) &&
			(!found || pending->source[0]->held >
					   found->source[0]->held))
			found = pending;
		pending = pending->source_next;
	}
	return found;
}

/* Whether one more fits, and *victim, who then has to go, or NULL. */
static enum pending_room find_room(struct pending_table *table,
	const uint8_t *client, const struct source *source,
	struct pending **victim)
{
	const struct pending_bounds *bounds = &table->bounds;
	const struct share *wide = NULL, *share;

	*victim = NULL;
	if (reached(bounds->of_device, shares_find(&table->devices, client)))
		return PENDING_DEVICE_FULL;
	if (source->levels)
		wide = shares_find(
			&table->wide, source->key[source->levels - 1]);
	for (unsigned i = 0; i < source->levels && wide; i++) {
		share = shares_find(
			shares_of(table, i, source->levels), source->key[i]);
		if (!reached(bounds->of_source, share))
			continue;
		*victim = oldest_of(wide, share, i);
		return *victim ? PENDING_SOURCE_ROOM : PENDING_SOURCE_FULL;
	}
	if (!bounds->all || table->sessions < bounds->all)
		return PENDING_ROOM;
	wide = shares_most(&table->wide);
	if (wide)
		*victim = oldest_of(wide, NULL, 0);
	return *victim ? PENDING_MADE_ROOM : PENDING_FULL;
}

/* 0 or -1.  Takes pending over, also on failure. */
static int insert(struct pending_table *table, struct pending *pending,
	const struct source *source)
{
	if (take_shares(table, pending, source) != 0) {
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

static struct pending *make(const uint8_t *client, const uint8_t *server,
	int64_t deadline_ms, uint8_t key[2][ID_LEN])
{
	const size_t len = sizeof(uint8_t[2][ID_LEN]);
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	if (getrandom(key, len, 0) != (ssize_t)len) {
		free(pending);
		return NULL;
	}
	for (int side = 0; side < 2; side++)
		memcpy(pending->key[side].key, key[side], ID_LEN);
	memcpy(pending->pair.id[SIDE_CLIENT], client, ID_LEN);
	memcpy(pending->pair.id[SIDE_SERVER], server, ID_LEN);
	pending->deadline_ms = deadline_ms;
	return pending;
}

enum pending_room pending_add(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms,
	uint8_t key[2][ID_LEN], struct place *lost)
{
	struct pending *pending = make(client, server, deadline_ms, key);
	struct pending *victim;
	enum pending_room room;

	*lost = (struct place){0, 0};
	if (!pending)
		return PENDING_NO_MEMORY;
	pthread_mutex_lock(&table->lock);
	room = find_room(table, client, source, &victim);
	if (victim) {
		*lost = victim->pair.half;
		drop(table, victim);
	}
	if (!pending_added(room))
		free(pending);
	else if (insert(table, pending, source) != 0)
		room = PENDING_NO_MEMORY;
	pthread_mutex_unlock(&table->lock);
	return room;
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
