/* SPDX-License-Identifier: MPL-2.0 */

/* What each named token has used in the month. */

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

	if (names->count == NAMES_MOST)
		return -1;
	if (names->count < names->room)
		return 0;
	list = realloc(names->list, room * sizeof(*names->list));
	if (!list)
		return -1;
	names->list = list;
	names->room = room;
	return 0;
}

int64_t names_add(struct names *names, const char *name, int64_t bytes)
{
	size_t len = strlen(name), at = place_of(names, name);
	struct name_usage *usage;

	if (at == names->count || strcmp(names->list[at].name, name) != 0) {
		if (len == 0 || len >= TOKEN_NAME_TEXT || make_room(names) != 0)
			return -1;
		memmove(names->list + at + 1, names->list + at,
			(names->count++ - at) * sizeof(*names->list));
		names->list[at] = (struct name_usage){.relayed = 0};
		memcpy(names->list[at].name, name, len);
	}
	usage = &names->list[at];
	if (bytes > 0 && usage->relayed <= INT64_MAX / 4 - bytes)
		usage->relayed += bytes;
	return usage->relayed;
}

void names_turn(struct names *names, int64_t begin_s)
{
	if (names->begin_s && begin_s > names->begin_s)
		names->count = 0;
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
