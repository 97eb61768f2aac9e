/* SPDX-License-Identifier: MPL-2.0 */

/*
 * holder_counts.h - counts a limited resource by holder, and finds the holder with the
 * most.
 *
 * A holder has a key of ID_LEN bytes and is stored while it holds any.  Every
 * function takes constant time.  The owner of the table must lock it.
 */
#ifndef HOLDER_COUNTS_H
#define HOLDER_COUNTS_H

#include <stdint.h>

#include "shared/id_hash.h"

/* Holders with this many or more count as equal. */
#define SHARES_RANKS 1024

struct share {
	UT_hash_handle hh;
	struct share *next, *prev; /* of equal rank, oldest first */
	unsigned held;
	void *items;          /* for the owner of the table, initially NULL */
	uint64_t last_served; /* likewise, initially 0 */
	uint8_t key[ID_LEN];
};

struct shares {
	struct share *holders; /* uthash, by key */
	struct share *first[SHARES_RANKS + 1], *last[SHARES_RANKS + 1];
	unsigned top; /* the highest rank in use; 0: none */
};

/* NULL if the key holds none. */
struct share *shares_find(
	const struct shares *shares, const uint8_t key[ID_LEN]);
/* Adds one for that key.  NULL if memory is short. */
struct share *shares_take(struct shares *shares, const uint8_t key[ID_LEN]);
/* Removes one; frees the share with the last one. */
void shares_give(struct shares *shares, struct share *share);
/* The holder with the most, the oldest of equals.  NULL: none. */
struct share *shares_most(const struct shares *shares);

#endif
