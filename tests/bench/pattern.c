/* SPDX-License-Identifier: MPL-2.0 */

/* The table of random bytes. */

#include <string.h>

#include "pattern.h"

#define PERIOD 1048573U /* prime */
#define STRIDE 7919U    /* between the starts of streams */

static uint8_t table[PERIOD + PATTERN_RUN];

/* xorshift: the same numbers in every run. */
void pattern_init(void)
{
	uint64_t x = UINT64_C(0x9E3779B97F4A7C15);

	for (size_t i = 0; i < sizeof(table); i++) {
		if (i >= PERIOD) {
			table[i] = table[i - PERIOD];
			continue;
		}
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		table[i] = (uint8_t)(x & 0xff);
	}
}

const uint8_t *pattern_at(unsigned stream, uint64_t position)
{
	return table + ((uint64_t)stream * STRIDE + position) % PERIOD;
}

bool pattern_fits(
	unsigned stream, uint64_t position, const uint8_t *data, size_t len)
{
	return memcmp(pattern_at(stream, position), data, len) == 0;
}
