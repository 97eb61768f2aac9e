/* SPDX-License-Identifier: MPL-2.0 */

/* The hash of device IDs and session keys. */

#include <string.h>
#include <sys/random.h>

#include "shared/id_hash.h"

/* Global: uthash calls the hash without an argument of ours. */
static uint64_t seed[2];

int id_hash_init(void)
{
	if (seed[0] || seed[1])
		return 0;
	return getrandom(seed, sizeof(seed), 0) == (ssize_t)sizeof(seed) ? 0
									 : -1;
}

/* The upper half of a 128-bit product.  Compilers for 32 bits have no integer
 * of 128. */
static uint64_t upper_half(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ typedef unsigned __int128 wide;

	return (uint64_t)((wide)a * b >> 64);
#else
	uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32);
	uint64_t other = a0 * b1 + (uint32_t)middle;

	return a1 * b1 + (middle >> 32) + (other >> 32);
#endif
}

/*
 * Combines both halves of a 128-bit product, so that every bit depends on every
 * other.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	return a * b ^ upper_half(a, b);
}

uint32_t id_hash(const void *id)
{
	uint64_t part[ID_LEN / 8], sum;

	memcpy(part, id, ID_LEN);
	sum = mix(part[0] ^ seed[0], part[1] ^ seed[1]);
	sum = mix(part[2] ^ sum, part[3] ^ seed[1]);
	sum = mix(sum ^ seed[0], 0x9e3779b97f4a7c15U);
	return (uint32_t)(sum ^ sum >> 32);
}
