/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/requests/parking.h"

struct parked {
	struct parked *next, *prev; /* of the same target */
	struct parked_target *target;
	struct holder *source; /* NULL: exempt */
	struct place asker;
};

struct parked_target {
	UT_hash_handle hh;
	struct parked *first; /* utlist */
	unsigned count;
	uint8_t id[ID_LEN];
};

struct expected {
	UT_hash_handle hh;
	struct expected *next, *prev;
	int64_t since_ms;
	uint8_t id[ID_LEN];
};

int parking_init(struct parking *parking)
{
	return pthread_mutex_init(&parking->lock, NULL) == 0 ? 0 : -1;
}

static void forget(struct parking *parking, struct expected *expected)
{
	HASH_DEL(parking->expected, expected);
	DL_DELETE(parking->oldest, expected);
	parking->expected_count--;
	free(expected);
}

void parking_finish(struct parking *parking)
{
	while (parking->oldest)
		forget(parking, parking->oldest);
	pthread_mutex_destroy(&parking->lock);
}

static void forget_old(struct parking *parking, int64_t now_ms)
{
	/* Two for each that comes, so that the work is bounded. */
	for (int i = 0; i < 2 && parking->oldest; i++)
		if (parking->expected_count > PARKING_DEVICES ||
			now_ms - parking->oldest->since_ms >=
				PARKING_EXPECTED_MS)
			forget(parking, parking->oldest);
}

static void expect(struct parking *parking, const uint8_t *id, int64_t now_ms)
{
	struct expected *expected;

	HASH_FIND(hh, parking->expected, id, ID_LEN, expected);
	if (expected) {
		DL_DELETE(parking->oldest, expected);
	} else {
		/* Without memory the device is not expected. */
		expected = calloc(1, sizeof(*expected));
		if (!expected)
			return;
		memcpy(expected->id, id, ID_LEN);
		HASH_ADD_KEYPTR(
			hh, parking->expected, expected->id, ID_LEN, expected);
		if (!expected->hh.tbl) {
			free(expected);
			return;
		}
		parking->expected_count++;
	}
	expected->since_ms = now_ms;
	DL_APPEND(parking->oldest, expected);
}

void parking_expect(struct parking *parking, const uint8_t *id, int64_t now_ms)
{
	pthread_mutex_lock(&parking->lock);
	expect(parking, id, now_ms);
	forget_old(parking, now_ms);
	pthread_mutex_unlock(&parking->lock);
}

bool parking_expects(struct parking *parking, const uint8_t *id, int64_t now_ms)
{
	struct expected *expected;
	bool is;

	pthread_mutex_lock(&parking->lock);
	HASH_FIND(hh, parking->expected, id, ID_LEN, expected);
	is = expected && now_ms - expected->since_ms < PARKING_EXPECTED_MS;
	pthread_mutex_unlock(&parking->lock);
	return is;
}

static struct parked_target *find(struct parking *parking, const uint8_t *id)
{
	struct parked_target *target;

	HASH_FIND(hh, parking->targets, id, ID_LEN, target);
	return target;
}

static struct parked_target *find_or_add(
	struct parking *parking, const uint8_t *id)
{
	struct parked_target *target = find(parking, id);

	if (target)
		return target;
	target = calloc(1, sizeof(*target));
	if (!target)
		return NULL;
	memcpy(target->id, id, ID_LEN);
	HASH_ADD_KEYPTR(hh, parking->targets, target->id, ID_LEN, target);
	if (target->hh.tbl)
		return target;
	free(target); /* uthash did not add it: out of memory */
	return NULL;
}

static void drop(struct parking *parking, struct parked_target *target)
{
	if (target->count)
		return;
	HASH_DEL(parking->targets, target);
	free(target);
}

/* Counts it for its source, whose widest level is meant, as a site has many of
 * the narrow ones.  False: it has enough, or memory is short. */
static bool take_source(struct parking *parking, struct parked *parked,
	const struct source *source)
{
	const struct holder *holder;

	if (!source->levels)
		return true;
	holder = holders_find(
		&parking->sources, source->key[source->levels - 1]);
	if (holder && holder->held >= PARKING_PER_SOURCE)
		return false;
	parked->source = holders_take(
		&parking->sources, source->key[source->levels - 1]);
	return parked->source != NULL;
}

static struct parked *add(struct parking *parking, const uint8_t *id,
	const struct source *source, struct place asker)
{
	struct parked *parked = calloc(1, sizeof(*parked));
	struct parked_target *target = parked ? find_or_add(parking, id) : NULL;

	if (target && target->count < PARKING_PER_DEVICE &&
		take_source(parking, parked, source)) {
		parked->target = target;
		parked->asker = asker;
		DL_APPEND(target->first, parked);
		target->count++;
		parking->count++;
		return parked;
	}
	if (target)
		drop(parking, target);
	free(parked);
	return NULL;
}

struct parked *parking_add(struct parking *parking, const uint8_t *id,
	const struct source *source, struct place asker)
{
	struct parked *parked = NULL;

	pthread_mutex_lock(&parking->lock);
	if (parking->count < PARKING_MOST)
		parked = add(parking, id, source, asker);
	pthread_mutex_unlock(&parking->lock);
	return parked;
}

void parking_remove(struct parking *parking, struct parked *parked)
{
	struct parked_target *target = parked->target;

	pthread_mutex_lock(&parking->lock);
	DL_DELETE(target->first, parked);
	target->count--;
	parking->count--;
	if (parked->source)
		holders_give(&parking->sources, parked->source);
	drop(parking, target);
	pthread_mutex_unlock(&parking->lock);
	free(parked);
}

void parking_each(struct parking *parking, const uint8_t *id,
	void (*fn)(struct place asker, void *arg), void *arg)
{
	const struct parked_target *target;
	const struct parked *parked;

	pthread_mutex_lock(&parking->lock);
	target = parking->count ? find(parking, id) : NULL;
	for (parked = target ? target->first : NULL; parked;
		parked = parked->next)
		fn(parked->asker, arg);
	pthread_mutex_unlock(&parking->lock);
}

unsigned parking_count(struct parking *parking)
{
	unsigned count;

	pthread_mutex_lock(&parking->lock);
	count = parking->count;
	pthread_mutex_unlock(&parking->lock);
	return count;
}

const uint8_t *parked_id(const struct parked *parked)
{
	return parked->target->id;
}
