/* SPDX-License-Identifier: MPL-2.0 */

/* Counts a limited resource by holder, and finds the holder with the most. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/requests/holder_counts.h"

static unsigned rank(const struct holder *holder)
{
	return holder->held < HOLDER_RANKS ? holder->held : HOLDER_RANKS;
}

static void insert(struct holders *holders, struct holder *holder)
{
	unsigned at = rank(holder);

	DL_APPEND(holders->first[at], holder);
	if (at > holders->top)
		holders->top = at;
}

/* Counts change by one, so the next lower rank is the new top. */
static void change(struct holders *holders, struct holder *holder, int by)
{
	unsigned was = rank(holder);

	if (was)
		DL_DELETE(holders->first[was], holder);
	holder->held += (unsigned)by;
	if (holder->held)
		insert(holders, holder);
	if (was == holders->top && !holders->first[was])
		holders->top = was - 1;
}

struct holder *holders_find(
	const struct holders *holders, const uint8_t key[ID_LEN])
{
	struct holder *holder;

	HASH_FIND(hh, holders->by_key, key, ID_LEN, holder);
	return holder;
}

struct holder *holders_take(struct holders *holders, const uint8_t key[ID_LEN])
{
	struct holder *holder = holders_find(holders, key);

	if (!holder) {
		holder = calloc(1, sizeof(*holder));
		if (!holder)
			return NULL;
		memcpy(holder->key, key, ID_LEN);
		HASH_ADD_KEYPTR(
			hh, holders->by_key, holder->key, ID_LEN, holder);
		if (!holder->hh.tbl) { /* uthash: out of memory */
			free(holder);
			return NULL;
		}
	}
	change(holders, holder, 1);
	return holder;
}

void holders_give(struct holders *holders, struct holder *holder)
{
	change(holders, holder, -1);
	if (holder->held)
		return;
	HASH_DEL(holders->by_key, holder);
	free(holder);
}

struct holder *holders_most(const struct holders *holders)
{
	return holders->top ? holders->first[holders->top] : NULL;
}
