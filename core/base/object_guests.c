/* SPDX-License-Identifier: MPL-2.0 */

/* Objects by id. */

#include <stdlib.h>

#include "base/object_guests.h"

#define PLACES_FIRST 16U

/* The multiplier spreads ids whose low bits alone differ. */
static uint32_t begin_at(const struct object_guests *guests, uint64_t id)
{
	return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (guests->size - 1);
}

void object_guests_finish(struct object_guests *guests)
{
	free(guests->places);
	*guests = (struct object_guests){.places = NULL};
}

/* There is a free place. */
static void put(struct object_guests *guests, uint64_t id, void *object)
{
	uint32_t at = begin_at(guests, id);

	while (guests->places[at].id)
		at = (at + 1) & (guests->size - 1);
	guests->left -= guests->places[at].object != NULL;
	guests->places[at] = (struct object_guest){id, object};
	guests->count++;
}

/* Larger, or as large as before without places that were left. */
static int rebuild(struct object_guests *guests)
{
	struct object_guests next = {.size = guests->size};

	if (next.size == 0)
		next.size = PLACES_FIRST;
	else if (guests->count >= guests->size / 4)
		next.size = guests->size * 2;
	if (next.size == 0)
		return -1;
	next.places = calloc(next.size, sizeof(*next.places));
	if (!next.places)
		return -1;
	for (uint32_t i = 0; i < guests->size; i++)
		if (guests->places[i].id)
			put(&next, guests->places[i].id,
				guests->places[i].object);
	free(guests->places);
	*guests = next;
	return 0;
}

int object_guests_add(struct object_guests *guests, uint64_t id, void *object)
{
	/* At least half is free, so that a search ends soon. */
	if (guests->count + guests->left >= guests->size / 2 &&
		rebuild(guests) != 0)
		return -1;
	put(guests, id, object);
	return 0;
}

/* NULL: it is not there. */
static struct object_guest *place_of(
	const struct object_guests *guests, uint64_t id)
{
	uint32_t at;

	if (!guests->count || !id)
		return NULL;
	for (at = begin_at(guests, id); guests->places[at].object;
		at = (at + 1) & (guests->size - 1))
		if (guests->places[at].id == id)
			return &guests->places[at];
	return NULL;
}

void *object_guests_find(const struct object_guests *guests, uint64_t id)
{
	const struct object_guest *place = place_of(guests, id);

	return place ? place->object : NULL;
}

bool object_guests_remove(struct object_guests *guests, uint64_t id)
{
	struct object_guest *place = place_of(guests, id);

	if (!place)
		return false;
	/* Its object stays, as the sign that others may be behind it. */
	place->id = 0;
	guests->count--;
	guests->left++;
	return true;
}

void object_guests_each(struct object_guests *guests,
	void (*fn)(void *object, void *arg), void *arg)
{
	for (uint32_t i = 0; i < guests->size; i++)
		if (guests->places[i].id)
			fn(guests->places[i].object, arg);
}
