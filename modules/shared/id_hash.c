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

/*
 * Combines both halves of a 128-bit product, so that every bit depends on every
 * other.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
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
