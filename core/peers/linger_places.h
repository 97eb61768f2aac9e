/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How many of a worker's lingering connections belong to each source.  Those to
 * which a session has left bytes are counted apart from all others.
 *
 * Sources are those of memory_by_source.h; 127.0.0.1 and ::1 are not counted.
 * The numbers are kept in a table of fixed size, by a hash with a random seed.
 * In rare cases two sources share an entry, and so one limit.
 *
 * All of this is [W].
 */
#ifndef LINGER_PLACES_H
#define LINGER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

/* How many connections of a worker may linger. */
#define LINGER_MOST 1024
/* An IPv4 address or a /64 may have LINGER_MOST / LINGER_SOURCE_PART of each of
 * the two kinds, a /56 twice and a /48 four times as many. */
#define LINGER_SOURCE_PART 16

#define LINGER_SLOTS 4096

struct linger_places {
	uint64_t seed;
	uint16_t held[2][LINGER_SLOTS]; /* [1]: left bytes by a session */
};

/* `address` has 16 bytes; IPv4 as ::ffff:a.b.c.d. */
void linger_places_change(struct linger_places *places, const uint8_t *address,
	bool session, int by);

/* How many places its source has, on the level that is closest to its limit; on
 * a /56 it is halved and on a /48 quartered, to compare with a /64. */
unsigned linger_places_held(const struct linger_places *places,
	const uint8_t *address, bool session);

/* Whether its source has reached its limit on any level. */
static inline bool linger_places_full(const struct linger_places *places,
	const uint8_t *address, bool session)
{
	return linger_places_held(places, address, session) >=
	       LINGER_MOST / LINGER_SOURCE_PART;
}

#endif
