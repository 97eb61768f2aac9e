/* SPDX-License-Identifier: MPL-2.0 */

#include <utlist.h>

#include "relay/requests/pending_limits.h"

/* How many of a source's sessions are examined to choose the one to drop. */
#define LOOKS 64

static struct holders *holders_of(
	struct pending_limits *limits, unsigned level, unsigned levels)
{
	return level + 1 == levels ? &limits->wide : &limits->narrow;
}

static void join_source(struct pending *pending)
{
	struct holder *holder = widest(pending);
	struct pending *first;

	if (!holder)
		return;
	first = holder->items;
	DL_APPEND2(first, pending, source_prev, source_next);
	holder->items = first;
}

static void leave_source(struct pending *pending)
{
	struct holder *holder = widest(pending);
	struct pending *first = holder->items;

	DL_DELETE2(first, pending, source_prev, source_next);
	holder->items = first;
}

static void join_device(struct pending *pending)
{
	struct pending *first = pending->device->items;

	DL_APPEND2(first, pending, device_prev, device_next);
	pending->device->items = first;
}

static void leave_device(struct pending *pending)
{
	struct pending *first = pending->device->items;

	DL_DELETE2(first, pending, device_prev, device_next);
	pending->device->items = first;
}

struct pending *limits_first_of(
	const struct pending_limits *limits, const uint8_t *client)
{
	const struct holder *holder = holders_find(&limits->devices, client);

	return holder ? holder->items : NULL;
}

void limits_give(struct pending_limits *limits, struct pending *pending)
{
	if (pending->device_prev)
		leave_device(pending);
	if (pending->source_prev)
		leave_source(pending);
	if (pending->device)
		holders_give(&limits->devices, pending->device);
	for (unsigned i = 0; i < pending->levels; i++)
		if (pending->source[i])
			holders_give(holders_of(limits, i, pending->levels),
				pending->source[i]);
}

int limits_take(struct pending_limits *limits, struct pending *pending,
	const struct source *source)
{
	pending->levels = source->levels;
	pending->device =
		holders_take(&limits->devices, pending->pair.id[SIDE_CLIENT]);
	if (!pending->device)
		goto error;
	for (unsigned i = 0; i < source->levels; i++) {
		pending->source[i] = holders_take(
			holders_of(limits, i, source->levels), source->key[i]);
		if (!pending->source[i])
			goto error;
	}
	join_source(pending);
	join_device(pending);
	return 0;

error:
	limits_give(limits, pending);
	return -1;
}

/* `less`: one of the share's is leaving. */
static bool reached(int64_t bound, const struct holder *holder, bool less)
{
	return bound && holder && holder->held - less >= bound;
}

/*
 * Chooses the session of a widest source to drop: the oldest of the narrower
 * source with the most, among a limited number of sessions examined.  `within`
 * is a source it must belong to, or NULL; `but` is one that it cannot be.
 */
static struct pending *oldest_of(const struct holder *wide,
	const struct holder *within, unsigned level, const struct pending *but)
{
	struct pending *found = NULL, *pending = wide->items;

	for (int i = 0; i < LOOKS && pending; i++) {
		if ((!within || pending->source[level] == within) &&
			pending != but &&
			(!found || pending->source[0]->held >
					   found->source[0]->held))
			found = pending;
		pending = pending->source_next;
	}
	return found;
}

enum pending_room limits_find_room(struct pending_limits *limits,
	const uint8_t *client, const struct source *source,
	const struct pending *leaving, struct pending **victim)
{
	const struct pending_bounds *bounds = &limits->bounds;
	const struct holder *wide = NULL, *holder;

	*victim = NULL;
	holder = holders_find(&limits->devices, client);
	if (reached(bounds->of_device, holder,
		    leaving && leaving->device == holder))
		return PENDING_DEVICE_FULL;
	if (source->levels)
		wide = holders_find(
			&limits->wide, source->key[source->levels - 1]);
	for (unsigned i = 0; i < source->levels && wide; i++) {
		holder = holders_find(
			holders_of(limits, i, source->levels), source->key[i]);
		if (!reached(bounds->of_source, holder,
			    leaving && i < leaving->levels &&
				    leaving->source[i] == holder))
			continue;
		*victim = oldest_of(wide, holder, i, leaving);
		return *victim ? PENDING_SOURCE_ROOM : PENDING_SOURCE_FULL;
	}
	if (!bounds->all || limits->sessions - (leaving != NULL) < bounds->all)
		return PENDING_ROOM;
	wide = holders_most(&limits->wide);
	if (wide)
		*victim = oldest_of(wide, NULL, 0, leaving);
	return *victim ? PENDING_MADE_ROOM : PENDING_FULL;
}
