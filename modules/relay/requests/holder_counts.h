/* SPDX-License-Identifier: MPL-2.0 */

/*
 * holder_counts.h - counts a limited resource by holder, and finds the holder
 * with the most.
 *
 * A holder has a key of ID_LEN bytes and is stored while it holds any.  Every
 * function takes constant time.  The owner of the table must lock it.
 */
#ifndef HOLDER_COUNTS_H
#define HOLDER_COUNTS_H

#include <stdint.h>

#include "shared/id_hash.h"

/* Holders with this many or more count as equal. */
#define HOLDER_RANKS 1024

struct holder {
	UT_hash_handle hh;
	struct holder *next, *prev; /* of equal rank, oldest first */
	unsigned held;
	void *items;          /* for the owner of the table, initially NULL */
	uint64_t last_served; /* likewise, initially 0 */
	unsigned seen;        /* likewise */
	uint8_t key[ID_LEN];
};

struct holders {
	struct holder *by_key;                  /* uthash, by key */
	struct holder *first[HOLDER_RANKS + 1]; /* utlist, by rank */
	unsigned top; /* the highest rank in use; 0: none */
};

/* NULL if the key holds none. */
struct holder *holders_find(
	const struct holders *holders, const uint8_t key[ID_LEN]);
/* Adds one for that key.  NULL if memory is short. */
struct holder *holders_take(struct holders *holders, const uint8_t key[ID_LEN]);
/* Removes one; frees the holder with the last one. */
void holders_give(struct holders *holders, struct holder *holder);
/* The holder with the most, the oldest of equals.  NULL: none. */
struct holder *holders_most(const struct holders *holders);

#endif
