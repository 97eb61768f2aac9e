/* SPDX-License-Identifier: MPL-2.0 */

/* Counts a limited resource by holder, and finds the holder with the most. */

#include <stdlib.h>
#include <string.h>

#include "relay/requests/holder_counts.h"

static unsigned rank(const struct share *share)
{
	return share->held < SHARES_RANKS ? share->held : SHARES_RANKS;
}

static void insert(struct shares *shares, struct share *share)
{
	unsigned at = rank(share);

	share->next = NULL;
	share->prev = shares->last[at];
	if (share->prev)
		share->prev->next = share;
	else
		shares->first[at] = share;
	shares->last[at] = share;
	if (at > shares->top)
		shares->top = at;
}

static void unlink_share(struct shares *shares, struct share *share)
{
	unsigned at = rank(share);

	if (share->next)
		share->next->prev = share->prev;
	else
		shares->last[at] = share->prev;
	if (share->prev)
		share->prev->next = share->next;
	else
		shares->first[at] = share->next;
}

/* Counts change by one, so the next lower rank is the new top. */
static void change(struct shares *shares, struct share *share, int by)
{
	unsigned was = rank(share);

	if (was)
		unlink_share(shares, share);
	share->held += (unsigned)by;
	if (share->held)
		insert(shares, share);
	if (was == shares->top && !shares->first[was])
		shares->top = was - 1;
}

struct share *shares_find(
	const struct shares *shares, const uint8_t key[ID_LEN])
{
	struct share *share;

	HASH_FIND(hh, shares->holders, key, ID_LEN, share);
	return share;
}

struct share *shares_take(struct shares *shares, const uint8_t key[ID_LEN])
{
	struct share *share = shares_find(shares, key);

	if (!share) {
		share = calloc(1, sizeof(*share));
		if (!share)
			return NULL;
		memcpy(share->key, key, ID_LEN);
		HASH_ADD_KEYPTR(hh, shares->holders, share->key, ID_LEN, share);
		if (!share->hh.tbl) { /* uthash: out of memory */
			free(share);
			return NULL;
		}
	}
	change(shares, share, 1);
	return share;
}

void shares_give(struct shares *shares, struct share *share)
{
	change(shares, share, -1);
	if (share->held)
		return;
	HASH_DEL(shares->holders, share);
	free(share);
}

struct share *shares_most(const struct shares *shares)
{
	return shares->top ? shares->first[shares->top] : NULL;
}
