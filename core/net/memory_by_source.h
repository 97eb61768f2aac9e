/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How much kernel memory the sessions of each source hold: when memory is
 * short, a source above its fair share gets no new sessions, and its stalled
 * ones end first.
 *
 * A source is an IPv4 address, or an IPv6 prefix: each address counts for its
 * /64, /56 and /48.  The amounts are kept in a table of fixed size, by a hash
 * with a random seed, so a source needs no memory of its own.  In rare cases
 * two sources share an entry, and then one may be taken for the other.
 *
 * 127.0.0.1 and ::1 are exempt, and never above their share: a proxy on this
 * machine connects from there for everybody.
 *
 * All threads share the table; every function is [*].
 */
#ifndef MEMORY_BY_SOURCE_H
#define MEMORY_BY_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

/* The share of an IPv4 address or a /64 is 1 / MEMORY_SOURCE_PART of
 * session-memory.  A /56 has two such shares, a /48 four. */
#define MEMORY_SOURCE_PART 16

/* `address` has 16 bytes; IPv4 as ::ffff:a.b.c.d. */
void memory_source_change(const uint8_t *address, int64_t by);

/* How much it holds on the level that is closest to its share; on a /56 it is
 * halved and on a /48 quartered, to compare with a /64. */
int64_t memory_source_held(const uint8_t *address);

/*
 * The lengths in bits of its prefixes, of which each is a source with half the
 * share of the next one.  Returns how many there are, 3 at most; 0: it is
 * exempt.
 */
unsigned memory_source_levels(const uint8_t *address, const uint8_t **bits);

/* Whether the source, on any of its levels, holds more than its share of
 * kernel_memory_limit(). */
bool memory_source_above(const uint8_t *address);

#endif
