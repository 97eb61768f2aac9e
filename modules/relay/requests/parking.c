/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/requests/parking.h"

struct parked {
	struct parked *next, *prev;   /* of the same target */
	struct parked_target *target; /* NULL: it has given up its place */
	struct holder *source;        /* NULL: exempt */
	struct place asker;
	uint8_t id[ID_LEN];
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

static void leave(struct parking *parking, struct parked *parked)
{
	struct parked_target *target = parked->target;

	DL_DELETE(target->first, parked);
	target->count--;
	parking->count--;
	if (parked->source)
		holders_give(&parking->sources, parked->source);
	drop(parking, target);
	parked->target = NULL;
}

/* How many requests of the source wait for the device. */
static unsigned held_of(
	const struct parked_target *target, const struct holder *source)
{
	unsigned held = 0;

	for (const struct parked *p = target->first; p; p = p->next)
		held += source && p->source == source;
	return held;
}

/* The oldest of the source that has most, if that source will still have as
 * many as the one that has `held` and gets the place.  Exempt ones keep theirs.
 */
static struct parked *victim_for(
	const struct parked_target *target, unsigned held)
{
	struct parked *victim = NULL;
	unsigned most = held + 1;

	for (struct parked *p = target->first; p; p = p->next)
		if (p->source)
			p->source->seen = 0;
	for (struct parked *p = target->first; p; p = p->next)
		if (p->source)
			p->source->seen++;
	for (struct parked *p = target->first; p; p = p->next) {
		if (!p->source || p->source->seen <= most)
			continue;
		most = p->source->seen;
		victim = p;
	}
	return victim;
}

/* Whether the source may have one more; *victim gives up its place for it. */
static bool has_room(const struct parked_target *target,
	const struct holder *source, struct parked **victim)
{
	unsigned held = held_of(target, source);

	if (source && (source->held >= PARKING_PER_SOURCE ||
			      held >= PARKING_PER_BOTH))
		return false;
	if (target->count < PARKING_PER_DEVICE)
		return true;
	*victim = victim_for(target, held);
	return *victim != NULL;
}

static void enter(struct parking *parking, struct parked_target *target,
	struct parked *parked)
{
	parked->target = target;
	DL_APPEND(target->first, parked);
	target->count++;
	parking->count++;
}

/* Its source is the widest one, as a site has many of the narrow ones. */
static bool take_place(struct parking *parking, struct parked_target *target,
	struct parked *parked, const struct source *source, struct place *lost)
{
	const uint8_t *key =
		source->levels ? source->key[source->levels - 1] : NULL;
	struct parked *victim = NULL;

	if (!has_room(target, key ? holders_find(&parking->sources, key) : NULL,
		    &victim))
		return false;
	if (key) {
		parked->source = holders_take(&parking->sources, key);
		if (!parked->source)
			return false;
	}
	enter(parking, target, parked);
	if (victim) {
		*lost = victim->asker;
		leave(parking, victim);
	}
	return true;
}

static struct parked *add(struct parking *parking, const uint8_t *id,
	const struct source *source, struct place asker, struct place *lost)
{
	struct parked *parked = calloc(1, sizeof(*parked));
	struct parked_target *target = parked ? find_or_add(parking, id) : NULL;

	if (target && take_place(parking, target, parked, source, lost)) {
		parked->asker = asker;
		memcpy(parked->id, id, ID_LEN);
		return parked;
	}
	if (target)
		drop(parking, target);
	free(parked);
	return NULL;
}

struct parked *parking_add(struct parking *parking, const uint8_t *id,
	const struct source *source, struct place asker, struct place *lost)
{
	struct parked *parked = NULL;

	lost->conn = 0;
	pthread_mutex_lock(&parking->lock);
	if (parking->count < PARKING_MOST)
		parked = add(parking, id, source, asker, lost);
	pthread_mutex_unlock(&parking->lock);
	return parked;
}

void parking_remove(struct parking *parking, struct parked *parked)
{
	pthread_mutex_lock(&parking->lock);
	if (parked->target)
		leave(parking, parked);
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

void parking_all(struct parking *parking,
	void (*fn)(struct place asker, void *arg), void *arg)
{
	const struct parked_target *target;
	const struct parked *parked;

	pthread_mutex_lock(&parking->lock);
	for (target = parking->targets; target; target = target->hh.next)
		for (parked = target->first; parked; parked = parked->next)
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
	return parked->id;
}
