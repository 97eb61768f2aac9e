/* SPDX-License-Identifier: MPL-2.0 */

/* The clients that wait for another one with the same token. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "wormhole-transit/waiting.h"

/* Those with the same token. */
struct group {
	UT_hash_handle hh;
	char token[LINE_TOKEN];
	struct waiter *waiters; /* utlist, longest first */
	int64_t count;
};

/* Those of the same source at one of its levels. */
struct holder {
	UT_hash_handle hh;
	uint8_t key[ID_LEN];
	struct waiter *waiters; /* utlist, longest first */
	int64_t count;
};

static const int64_t times[SOURCE_LEVELS] = {1, TIMES_56, TIMES_48};

int waiting_init(struct waiting *table)
{
	table->groups = NULL;
	table->holders = NULL;
	table->all = NULL;
	table->count = 0;
	if (id_hash_init() != 0)
		return -1;
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void waiting_finish(struct waiting *table)
{
	pthread_mutex_destroy(&table->lock);
}

/* Strangers choose tokens, so all of their bytes go into the seeded hash. */
static unsigned hash_of(const char token[LINE_TOKEN])
{
	return id_hash(token) * 31U + id_hash(token + ID_LEN);
}

static struct group *find_group(
	struct waiting *table, const char token[LINE_TOKEN])
{
	struct group *group;

	HASH_FIND_BYHASHVALUE(
		hh, table->groups, token, LINE_TOKEN, hash_of(token), group);
	return group;
}

static struct group *get_group(
	struct waiting *table, const char token[LINE_TOKEN])
{
	struct group *group = find_group(table, token);

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	memcpy(group->token, token, LINE_TOKEN);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->groups, group->token, LINE_TOKEN,
		hash_of(token), group);
	if (group->hh.tbl)
		return group;
	free(group); /* uthash did not add it: out of memory */
	return NULL;
}

static struct holder *get_holder(
	struct waiting *table, const uint8_t key[ID_LEN])
{
	struct holder *holder;

	HASH_FIND(hh, table->holders, key, ID_LEN, holder);
	if (holder)
		return holder;
	holder = calloc(1, sizeof(*holder));
	if (!holder)
		return NULL;
	memcpy(holder->key, key, ID_LEN);
	HASH_ADD_KEYPTR(hh, table->holders, holder->key, ID_LEN, holder);
	if (holder->hh.tbl)
		return holder;
	free(holder);
	return NULL;
}

static void drop_empty(struct waiting *table, struct group *group)
{
	if (!group || group->count)
		return;
	HASH_DEL(table->groups, group);
	free(group);
}

static void drop_empty_holder(struct waiting *table, struct holder *holder)
{
	if (!holder || holder->count)
		return;
	HASH_DEL(table->holders, holder);
	free(holder);
}

static void take_out(struct waiting *table, struct waiter *waiter)
{
	struct group *group = waiter->group;

	DL_DELETE(table->all, waiter);
	DL_DELETE2(group->waiters, waiter, group_prev, group_next);
	group->count--;
	table->count--;
	for (unsigned i = 0; i < waiter->levels; i++) {
		struct holder *holder = waiter->source[i].holder;

		DL_DELETE2(holder->waiters, waiter, source[i].prev,
			source[i].next);
		holder->count--;
		drop_empty_holder(table, holder);
	}
	waiter->group = NULL;
	drop_empty(table, group);
}

static void put_in(
	struct waiting *table, struct waiter *waiter, struct group *group)
{
	waiter->group = group;
	DL_APPEND(table->all, waiter);
	DL_APPEND2(group->waiters, waiter, group_prev, group_next);
	group->count++;
	table->count++;
	for (unsigned i = 0; i < waiter->levels; i++) {
		struct holder *holder = waiter->source[i].holder;

		DL_APPEND2(holder->waiters, waiter, source[i].prev,
			source[i].next);
		holder->count++;
	}
}

static int add(struct waiting *table, struct waiter *mine,
	const struct line *line, const struct source *source)
{
	struct group *group = get_group(table, line->token);
	bool whole = group != NULL;

	mine->levels = source->levels;
	for (unsigned i = 0; i < source->levels; i++) {
		mine->source[i].holder = get_holder(table, source->key[i]);
		whole &= mine->source[i].holder != NULL;
	}
	if (whole) {
		put_in(table, mine, group);
		return 0;
	}
	drop_empty(table, group);
	for (unsigned i = 0; i < source->levels; i++)
		drop_empty_holder(table, mine->source[i].holder);
	return -1;
}

static void lose(struct waiting *table, struct waiter *waiter,
	enum waiting_bound bound, struct waiting_losers *losers)
{
	losers->at[losers->count].place = waiter->place;
	losers->at[losers->count++].bound = bound;
	take_out(table, waiter);
}

/* The first of each list has waited longest, and is never `mine`: each bound is
 * 1 or more. */
static void keep_bounds(struct waiting *table, const struct waiter *mine,
	const struct waiting_limits *limits, struct waiting_losers *losers)
{
	if (mine->group->count > limits->per_token)
		lose(table, mine->group->waiters, BOUND_TOKEN, losers);
	for (unsigned i = 0; i < mine->levels; i++) {
		const struct holder *holder = mine->source[i].holder;

		if (holder->count > limits->per_source * times[i])
			lose(table, holder->waiters, BOUND_SOURCE, losers);
	}
	if (table->count > limits->all)
		lose(table, table->all, BOUND_ALL, losers);
}

static bool fit(const struct waiter *waiter, const struct line *line)
{
	return !waiter->sided || !line->sided ||
	       memcmp(waiter->side, line->side, LINE_SIDE) != 0;
}

static struct waiter *find(struct waiting *table, const struct line *line)
{
	struct group *group = find_group(table, line->token);
	struct waiter *waiter, *last = NULL;

	if (!group)
		return NULL;
	DL_FOREACH2(group->waiters, waiter, group_next)
	if (fit(waiter, line))
		last = waiter;
	return last;
}

enum waiting_answer waiting_meet(struct waiting *table, struct waiter *mine,
	const struct line *line, const struct source *source,
	const struct waiting_limits *limits, struct place *other,
	struct waiting_losers *losers)
{
	enum waiting_answer answer = WAITING_ADDED;
	struct waiter *waiter;

	losers->count = 0;
	mine->sided = line->sided;
	memcpy(mine->side, line->side, LINE_SIDE);
	pthread_mutex_lock(&table->lock);
	waiter = find(table, line);
	if (waiter) {
		*other = waiter->place;
		take_out(table, waiter);
		answer = WAITING_MATCHED;
	} else if (add(table, mine, line, source) == 0) {
		keep_bounds(table, mine, limits, losers);
	} else {
		answer = WAITING_NO_MEMORY;
	}
	pthread_mutex_unlock(&table->lock);
	return answer;
}

void waiting_leave(struct waiting *table, struct waiter *waiter)
{
	pthread_mutex_lock(&table->lock);
	if (waiter->group)
		take_out(table, waiter);
	pthread_mutex_unlock(&table->lock);
}

bool waiting_has(struct waiting *table, const struct waiter *waiter)
{
	bool has;

	pthread_mutex_lock(&table->lock);
	has = waiter->group != NULL;
	pthread_mutex_unlock(&table->lock);
	return has;
}

unsigned waiting_rest(struct waiting *table, const char token[LINE_TOKEN],
	struct place out[WAITING_PER_TOKEN_MOST])
{
	struct group *group;
	unsigned count = 0;
	bool more;

	pthread_mutex_lock(&table->lock);
	group = find_group(table, token);
	for (more = group != NULL; more && count < WAITING_PER_TOKEN_MOST;) {
		more = group->count > 1;
		out[count++] = group->waiters->place;
		take_out(table, group->waiters);
	}
	pthread_mutex_unlock(&table->lock);
	return count;
}

int64_t waiting_count(struct waiting *table)
{
	int64_t count;

	pthread_mutex_lock(&table->lock);
	count = table->count;
	pthread_mutex_unlock(&table->lock);
	return count;
}
