/* SPDX-License-Identifier: MPL-2.0 */

/* A hash table with linear probing. */

#include <stdlib.h>
#include <string.h>

#include "statsd/told.h"

/* Above this many entries the old ones are dropped. */
#define MANY (TOLD_SERIES / 2)

static uint64_t key_of(const char *name)
{
	uint64_t key = 14695981039346656037U; /* FNV-1a */

	for (; *name; name++)
		key = (key ^ (unsigned char)*name) * 1099511628211U;
	return key ? key : 1;
}

/* The index of the key's entry, or of the free entry for it; TOLD_SERIES if the
 * table is full. */
static size_t find(const struct told *told, uint64_t key)
{
	size_t at = key % TOLD_SERIES;

	for (size_t n = 0; n < TOLD_SERIES; n++) {
		if (told->at[at].key == 0 || told->at[at].key == key)
			return at;
		at = (at + 1) % TOLD_SERIES;
	}
	return TOLD_SERIES;
}

/* Drops the counters that the last round did not ask for.  If memory is short,
 * drops nothing. */
static void drop_old(struct told *told)
{
	struct told *before = malloc(sizeof(*before));

	if (!before)
		return;
	memcpy(before, told, sizeof(*before));
	memset(told->at, 0, sizeof(told->at));
	told->count = 0;
	for (size_t i = 0; i < TOLD_SERIES; i++) {
		if (before->at[i].key == 0 ||
			before->at[i].round != told->round)
			continue;
		told->at[find(told, before->at[i].key)] = before->at[i];
		told->count++;
	}
	free(before);
}

void told_begin(struct told *told)
{
	if (told->count > MANY)
		drop_old(told);
	told->round++;
}

int64_t told_increase(struct told *told, const char *name, int64_t value)
{
	uint64_t key = key_of(name);
	size_t at = find(told, key);
	int64_t before;

	if (at == TOLD_SERIES)
		return 0;
	told->count += told->at[at].key == 0;
	before = told->at[at].value;
	told->at[at].key = key;
	told->at[at].value = value;
	told->at[at].round = told->round;
	return value - before;
}
