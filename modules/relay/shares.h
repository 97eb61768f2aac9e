/* SPDX-License-Identifier: MPL-2.0 */

/*
 * shares.h - who holds how many of something that is bounded, and who most.
 *
 * A holder has a key of ID_LEN bytes and is remembered while he holds any.
 * Every function takes constant time.  Not locked: by whoever has the table.
 */
#ifndef SHARES_H
#define SHARES_H

#include <stdint.h>

#include "id_hash.h"

/* From so many on, holders count as equal. */
#define SHARES_RANKS 1024

struct share {
	UT_hash_handle hh;
	struct share *next, *prev; /* of equal rank, the longest first */
	unsigned held;
	void *items;   /* the owner's, NULL at first */
	uint64_t turn; /* likewise, 0 at first */
	uint8_t key[ID_LEN];
};

struct shares {
	struct share *holders; /* uthash, by key */
	struct share *first[SHARES_RANKS + 1], *last[SHARES_RANKS + 1];
	unsigned top; /* the highest rank that is taken; 0: none */
};

/* NULL: holds nothing. */
struct share *shares_find(
	const struct shares *shares, const uint8_t key[ID_LEN]);
/* One more for that key.  NULL without memory. */
struct share *shares_take(struct shares *shares, const uint8_t key[ID_LEN]);
/* One less; with the last one the share is gone. */
void shares_give(struct shares *shares, struct share *share);
/* Who holds most, and has for the longest time.  NULL: nobody holds any. */
struct share *shares_most(const struct shares *shares);

#endif
