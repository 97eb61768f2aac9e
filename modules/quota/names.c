/* SPDX-License-Identifier: MPL-2.0 */

/* What each name has used in the month. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/* Where it is, or would be. */
static size_t place_of(const struct names *names, const char *name)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names->list[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct names *names)
{
	size_t room = names->room ? 2 * names->room : 16;
	void *list;

	if (names->count < names->room)
		return 0;
	list = realloc(names->list, room * sizeof(*names->list));
	if (!list)
		return -1;
	names->list = list;
	names->room = room;
	return 0;
}

static bool is_at(const struct names *names, size_t at, const char *name)
{
	return at < names->count && strcmp(names->list[at].name, name) == 0;
}

/* Nobody has used less than the last one that gave way, so the first with as
 * little is as good as any. */
static void forget_least(struct names *names)
{
	size_t least = 0;

	for (size_t i = 1; i < names->count &&
			   names->list[least].relayed > names->forgotten;
		i++)
		if (names->list[i].relayed < names->list[least].relayed)
			least = i;
	names->forgotten = names->list[least].relayed;
	names->replaced += names->forgotten > 0;
	names->count--;
	memmove(names->list + least, names->list + least + 1,
		(names->count - least) * sizeof(*names->list));
}

static void insert(struct names *names, const char *name)
{
	size_t at = place_of(names, name);

	memmove(names->list + at + 1, names->list + at,
		(names->count++ - at) * sizeof(*names->list));
	names->list[at] = (struct name_usage){.relayed = names->forgotten};
	memcpy(names->list[at].name, name, strlen(name));
}

int64_t names_add(struct names *names, const char *name, int64_t bytes)
{
	size_t len = strlen(name);
	struct name_usage *usage;

	if (len == 0 || len >= TOKEN_NAME_TEXT)
		return -1;
	if (!is_at(names, place_of(names, name), name)) {
		bool full = names->count == NAMES_MOST;

		if (full && bytes <= 0)
			return names->forgotten;
		if (full)
			forget_least(names);
		else if (make_room(names) != 0)
			return -1;
		insert(names, name);
	}
	usage = &names->list[place_of(names, name)];
	if (bytes > 0 && usage->relayed <= INT64_MAX / 4 - bytes)
		usage->relayed += bytes;
	return usage->relayed;
}

void names_turn(struct names *names, int64_t begin_s)
{
	if (names->begin_s && begin_s > names->begin_s) {
		names->count = 0;
		names->forgotten = 0;
	}
	names->begin_s = begin_s;
}

int names_copy(struct names *out, const struct names *from)
{
	*out = (struct names){.begin_s = from->begin_s};
	if (!from->count)
		return 0;
	out->list = malloc(from->count * sizeof(*out->list));
	if (!out->list)
		return -1;
	memcpy(out->list, from->list, from->count * sizeof(*out->list));
	out->count = out->room = from->count;
	return 0;
}

void names_free(struct names *names)
{
	free(names->list);
	*names = (struct names){0};
}
