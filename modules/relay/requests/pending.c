/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions whose devices were invited and that have not begun. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <utlist.h>

#include "relay/requests/pending.h"
#include "relay/requests/queue_eviction.h"

int pending_init(struct pending_table *table)
{
	memset(table, 0, sizeof(*table));
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void pending_bound(
	struct pending_table *table, const struct pending_bounds *bounds)
{
	pthread_mutex_lock(&table->lock);
	table->limits.bounds = *bounds;
	pthread_mutex_unlock(&table->lock);
}

static void use_up(
	struct pending_table *table, struct pending *pending, int side)
{
	if (pending->used[side])
		return;
	HASH_DEL(table->keys, &pending->key[side]);
	pending->used[side] = true;
}

static void release(struct pending *pending)
{
	free(pending->elsewhere);
	free(pending);
}

static void drop(struct pending_table *table, struct pending *pending,
	bool begun, int64_t now_ms)
{
	queues_remove(&table->queues, pending, begun, now_ms);
	use_up(table, pending, SIDE_CLIENT);
	use_up(table, pending, SIDE_SERVER);
	DL_DELETE(table->first, pending);
	table->limits.sessions--;
	limits_give(&table->limits, pending);
	table->elsewhere -= pending->elsewhere != NULL;
	release(pending);
}

void pending_finish(struct pending_table *table)
{
	while (table->first)
		drop(table, table->first, false, 0);
	queues_finish(&table->queues);
	pthread_mutex_destroy(&table->lock);
}

static struct pending_key *find(struct pending_table *table, const uint8_t *key)
{
	struct pending_key *found;

	HASH_FIND(hh, table->keys, key, ID_LEN, found);
	return found;
}

/* 0; or -1, and then it is dropped. */
static int insert_keys(struct pending_table *table, struct pending *pending)
{
	for (int side = 0; side < 2; side++) {
		struct pending_key *key = &pending->key[side];

		key->pending = pending;
		HASH_ADD_KEYPTR(hh, table->keys, key->key, ID_LEN, key);
		if (!key->hh.tbl) { /* uthash: out of memory */
			pending->used[side] = true;
			pending->used[1] |= side == 0;
			drop(table, pending, false, 0);
			return -1;
		}
	}
	return 0;
}

/* 0 or -1.  Owns pending from now on, also on failure. */
static int insert(struct pending_table *table, struct pending *pending,
	const struct source *source)
{
	if (limits_take(&table->limits, pending, source) != 0) {
		release(pending);
		return -1;
	}
	DL_APPEND(table->first, pending);
	table->limits.sessions++;
	table->elsewhere += pending->elsewhere != NULL;
	if (queues_add(&table->queues, pending) != 0) {
		pending->used[0] = pending->used[1] = true;
		drop(table, pending, false, 0);
		return -1;
	}
	if (pending->elsewhere)
		pending->used[0] = pending->used[1] = true;
	return pending->elsewhere ? 0 : insert_keys(table, pending);
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

/* Whether a new one fits; victims[] are those to drop for it, or NULL. */
static enum pending_room find_room(struct pending_table *table,
	struct pending *pending, const struct source *source, int64_t now_ms,
	struct pending *victims[2])
{
	const struct pending_bounds *bounds = &table->limits.bounds;
	enum pending_room room;

	victims[0] = queues_victim(&table->queues, pending, source->key,
		source->levels, bounds->of_asker, bounds->in_queue, now_ms);
	if (victims[0] == pending)
		return PENDING_QUEUE_FULL;
	room = limits_find_room(&table->limits, pending->pair.id[SIDE_CLIENT],
		source, victims[0], &victims[1]);
	return room == PENDING_ROOM && victims[0] ? PENDING_QUEUE_ROOM : room;
}

/* Drops the victims only when the new one is there: a request that is refused
 * takes nobody's place.  Owns pending. */
static enum pending_room exchange(struct pending_table *table,
	struct pending *pending, const struct source *source, int64_t now_ms,
	struct place lost[2])
{
	struct pending *victims[2] = {NULL, NULL};
	enum pending_room room =
		find_room(table, pending, source, now_ms, victims);

	if (!pending_added(room)) {
		release(pending);
		return room;
	}
	if (insert(table, pending, source) != 0)
		return PENDING_NO_MEMORY;
	for (int i = 0; i < 2; i++)
		if (victims[i]) {
			lost[i] = victims[i]->pair.half;
			drop(table, victims[i], false, now_ms);
		}
	return room;
}

/* Owns pending; NULL: there was no memory for it. */
static enum pending_room add(struct pending_table *table,
	struct pending *pending, const struct source *source, int64_t now_ms,
	struct place lost[2])
{
	enum pending_room room;

	memset(lost, 0, 2 * sizeof(*lost));
	if (!pending)
		return PENDING_NO_MEMORY;
	pthread_mutex_lock(&table->lock);
	room = exchange(table, pending, source, now_ms, lost);
	pthread_mutex_unlock(&table->lock);
	return room;
}

enum pending_room pending_add(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms, int64_t now_ms,
	uint8_t key[2][ID_LEN], struct place lost[2])
{
	return add(table, make(client, server, deadline_ms, key), source,
		now_ms, lost);
}

enum pending_room pending_add_remote(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms, int64_t now_ms,
	const struct relay_found *found, uint8_t key[2][ID_LEN],
	struct place lost[2])
{
	struct pending *pending = make(client, server, deadline_ms, key);

	if (pending && !found) {
		pending->stage = STAGE_AWAY;
	} else if (pending) {
		pending->elsewhere = malloc(sizeof(*found));
		if (pending->elsewhere) {
			*pending->elsewhere = *found;
		} else {
			release(pending);
			pending = NULL;
		}
	}
	return add(table, pending, source, now_ms, lost);
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
	if (side == SIDE_SERVER)
		queues_taken(&table->queues, pending,
			pending->pair.half.conn ? pending->pair.half : place,
			now_ms);
	if (pending->pair.half.conn) {
		answer = PENDING_SECOND;
		*pair = pending->pair;
		drop(table, pending, true, now_ms);
		goto out;
	}
	answer = PENDING_FIRST;
	pending->pair.half = place;
	pending->pair.half_side = side;
	*pair = pending->pair;
	*deadline_ms = pending->deadline_ms;
	memcpy(other, pending->key[1 - side].key, ID_LEN);
out:
	pthread_mutex_unlock(&table->lock);
	return answer;
}

bool pending_abandon(struct pending_table *table, const uint8_t *other,
	int64_t now_ms, uint8_t target[ID_LEN])
{
	struct pending_key *found;

	pthread_mutex_lock(&table->lock);
	found = find(table, other);
	if (found) {
		memcpy(target, found->pending->pair.id[SIDE_SERVER], ID_LEN);
		drop(table, found->pending, false, now_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}

struct place pending_lose(
	struct pending_table *table, const uint8_t key[ID_LEN], int64_t now_ms)
{
	struct place half = {.conn = 0};
	struct pending_key *found;

	pthread_mutex_lock(&table->lock);
	found = find(table, key);
	if (found) {
		half = found->pending->pair.half;
		drop(table, found->pending, false, now_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return half;
}

/* One session that the device requested or is requested for. */
static struct pending *any_of(
	const struct pending_table *table, const uint8_t *id)
{
	const struct queue *queue = queue_find(&table->queues, id);

	return queue && queue->first ? queue->first
				     : limits_first_of(&table->limits, id);
}

unsigned pending_withdraw(struct pending_table *table, const uint8_t *id,
	int64_t now_ms, struct place lost[PENDING_WITHDRAW_MOST])
{
	struct pending *pending;
	unsigned count = 0;

	pthread_mutex_lock(&table->lock);
	while (count < PENDING_WITHDRAW_MOST && (pending = any_of(table, id))) {
		lost[count++] = pending->pair.half;
		drop(table, pending, false, now_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return count;
}

bool pending_spoke(struct pending_table *table, const uint8_t *other,
	uint8_t target[ID_LEN])
{
	struct pending_key *found;
	bool waits;

	pthread_mutex_lock(&table->lock);
	found = find(table, other);
	/* If `other` is the requested device's key, the requester waits. */
	waits = found && found == &found->pending->key[SIDE_SERVER];
	if (waits) {
		found->pending->spoke = true;
		memcpy(target, found->pending->pair.id[SIDE_SERVER], ID_LEN);
	}
	pthread_mutex_unlock(&table->lock);
	return waits;
}

void pending_over(struct pending_table *table, const struct pending_end *end,
	int64_t now_ms)
{
	const uint8_t *target = end->id[SIDE_SERVER];

	pthread_mutex_lock(&table->lock);
	queues_session_over(
		&table->queues, target, end->serial, end->answered, now_ms);
	if (end->lasted_ms >= REPUTATION_FRIEND_MS)
		reputation_praise(&table->queues.reputation,
			end->id[SIDE_CLIENT], target, now_ms);
	pthread_mutex_unlock(&table->lock);
}

void pending_absolve(struct pending_table *table, const uint8_t target[ID_LEN],
	uint64_t serial, int64_t now_ms)
{
	pthread_mutex_lock(&table->lock);
	queues_session_over(&table->queues, target, serial, true, now_ms);
	pthread_mutex_unlock(&table->lock);
}

void pending_schedule(struct pending_table *table, const uint8_t *target,
	bool present, bool all, int64_t now_ms, struct action *action)
{
	pthread_mutex_lock(&table->lock);
	queues_schedule(&table->queues, target, present, all, now_ms, action);
	if (action->kind == ACTION_WITHDRAW) {
		action->half = action->withdrawn->pair.half;
		drop(table, action->withdrawn, false, now_ms);
		action->withdrawn = NULL;
	}
	pthread_mutex_unlock(&table->lock);
}

bool pending_give_up(struct pending_table *table, const uint8_t target[ID_LEN],
	int64_t now_ms, struct place *lost)
{
	struct pending *waiting;

	pthread_mutex_lock(&table->lock);
	waiting = queues_first_waiting(&table->queues, target);
	if (waiting) {
		*lost = waiting->pair.half;
		drop(table, waiting, false, now_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return waiting != NULL;
}

bool pending_next_active(struct pending_table *table, uint8_t target[ID_LEN])
{
	bool found;

	pthread_mutex_lock(&table->lock);
	found = queues_next_active(&table->queues, target);
	pthread_mutex_unlock(&table->lock);
	return found;
}

unsigned pending_expire(
	struct pending_table *table, int64_t now_ms, int64_t *next_ms)
{
	unsigned count = 0, missed = 0;

	pthread_mutex_lock(&table->lock);
	while (table->first && table->first->deadline_ms <= now_ms &&
		count < PENDING_EXPIRE_MOST) {
		missed += !table->first->elsewhere;
		drop(table, table->first, false, now_ms);
		count++;
	}
	queues_forget(&table->queues, now_ms);
	*next_ms = table->first ? table->first->deadline_ms : INT64_MAX;
	pthread_mutex_unlock(&table->lock);
	return missed;
}

static unsigned look(struct pending_table *table, const unsigned *number)
{
	unsigned seen;

	pthread_mutex_lock(&table->lock);
	seen = *number;
	pthread_mutex_unlock(&table->lock);
	return seen;
}

unsigned pending_sessions(struct pending_table *table)
{
	unsigned count;

	pthread_mutex_lock(&table->lock);
	count = table->limits.sessions - table->elsewhere;
	pthread_mutex_unlock(&table->lock);
	return count;
}

unsigned pending_waiting(struct pending_table *table)
{
	return look(table, &table->queues.waiting);
}

unsigned pending_active(struct pending_table *table)
{
	return look(table, &table->queues.active);
}

unsigned pending_keys(struct pending_table *table)
{
	unsigned count;

	pthread_mutex_lock(&table->lock);
	count = HASH_COUNT(table->keys);
	pthread_mutex_unlock(&table->lock);
	return count;
}
