/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the hash of prefixes: networks that are neighbours do not collide.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/prefix_hash.h"

#define SLOTS 1024

static uint64_t hash_of_v4(uint64_t seed, uint32_t number)
{
	uint8_t address[16] = {[10] = 0xff,
		[11] = 0xff,
		[12] = (uint8_t)(number >> 24),
		[13] = (uint8_t)(number >> 16),
		[14] = (uint8_t)(number >> 8),
		[15] = (uint8_t)number};
	uint64_t words[2];

	memcpy(words, address, sizeof(words));
	return prefix_hash(seed, words[0], words[1], 128);
}

/* As many addresses as there are slots: chance leaves 1/e of the slots empty,
 * some 377. */
static void neighbours_are_spread_over_a_table(void **state)
{
	static const uint32_t steps[] = {1, 256, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		for (unsigned shift = 0; shift <= 48; shift += 16) {
			uint8_t used[SLOTS] = {0};
			unsigned empty = SLOTS;

			for (uint32_t n = 0; n < SLOTS; n++) {
				uint64_t hash = hash_of_v4(1, n * steps[i]);

				empty -= !used[(hash >> shift) % SLOTS]++;
			}
			assert_in_range(empty, 300, 460);
		}
}

static void lengths_and_seeds_matter(void **state)
{
	(void)state;
	assert_true(prefix_hash(1, 2, 0, 48) != prefix_hash(1, 2, 0, 56));
	assert_true(prefix_hash(1, 2, 0, 48) != prefix_hash(3, 2, 0, 48));
	assert_true(prefix_hash(1, 2, 0, 48) != prefix_hash(1, 0, 2, 48));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_spread_over_a_table),
		cmocka_unit_test(lengths_and_seeds_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
