/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How many of a worker's lingering connections belong to each source, apart for
 * those to which a session has left bytes and for all others.
 *
 * Sources are those of memory_sources.h, where 127.0.0.1 and ::1 are none.  The
 * numbers are kept in a table of fixed size, by a hash with a random seed.  In
 * rare cases two sources share an entry: then both have one share together.
 *
 * All of this is [W].
 */
#ifndef LINGER_PLACES_H
#define LINGER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

/* How many connections of a worker may linger. */
#define LINGER_MOST 1024
/* One part in so many of these may belong to one IPv4 address or /64, of each
 * of the two kinds.  A /56 may have two parts, a /48 four. */
#define LINGER_SOURCE_PART 16

#define LINGER_SLOTS 4096

struct linger_places {
	uint64_t seed;
	uint16_t held[2][LINGER_SLOTS]; /* by whether of a session */
};

/* `address` has 16 bytes; IPv4 as ::ffff:a.b.c.d. */
void linger_places_change(struct linger_places *places, const uint8_t *address,
	bool session, int by);

/* How many places its source has, on the level that has most of its share; as a
 * part of that of an IPv4 address or /64. */
unsigned linger_places_held(const struct linger_places *places,
	const uint8_t *address, bool session);

/* Whether its source, on any level, has its part. */
static inline bool linger_places_full(const struct linger_places *places,
	const uint8_t *address, bool session)
{
	return linger_places_held(places, address, session) >=
	       LINGER_MOST / LINGER_SOURCE_PART;
}

#endif
