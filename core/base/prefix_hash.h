/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A hash of network prefixes for tables of sources.
 */
#ifndef PREFIX_HASH_H
#define PREFIX_HASH_H

#include <stdint.h>

/*
 * `high` and `low` are the prefix, in any byte order, with zeros after its
 * `bits`.  Each bit of the prefix changes all bits of the hash, so a table may
 * use any of them.  The seed is random and secret: strangers choose their
 * networks, and must not be able to choose ones that collide.
 */
static inline uint64_t prefix_hash(
	uint64_t seed, uint64_t high, uint64_t low, unsigned bits)
{
	const uint64_t words[] = {high, low, 0};
	uint64_t x = seed;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		x ^= words[i];
		x ^= x >> 32;
		x *= UINT64_C(0x9e3779b97f4a7c15);
		x ^= x >> 29;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		x ^= x >> 32;
		x += seed + bits;
	}
	return x ^ x >> 31;
}

#endif
