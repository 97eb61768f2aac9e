/* SPDX-License-Identifier: MPL-2.0 */

/* How many questions may wait. */

#include <stddef.h>
#include <string.h>

#include <strelaysrv/device_id.h>

#include "base/prefix_hash.h"
#include "net/memory_by_source.h"
#include "peers/question_places.h"

static _Atomic uint16_t *device_slot(
	struct question_places *places, const uint8_t *device)
{
	uint64_t words[2];

	memcpy(words, device, sizeof(words));
	return &places->devices[prefix_hash(places->seed, words[0], words[1],
					8 * RELAY_DEVICE_ID_LEN) %
				QUESTION_DEVICE_SLOTS];
}

static _Atomic uint16_t *source_slot(
	struct question_places *places, const uint8_t *address, unsigned bits)
{
	uint64_t words[2] = {0};

	memcpy(words, address, bits / 8);
	return &places->sources[prefix_hash(places->seed, words[0], words[1],
					bits) %
				QUESTION_SOURCE_SLOTS];
}

/* Other threads take places at the same time: adds first, and takes it back
 * above the limit. */
static bool add(_Atomic uint16_t *held, unsigned most)
{
	if (atomic_fetch_add_explicit(held, 1, memory_order_relaxed) < most)
		return true;
	atomic_fetch_sub_explicit(held, 1, memory_order_relaxed);
	return false;
}

static void give_sources(struct question_places *places, const uint8_t *address,
	const uint8_t *bits, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		atomic_fetch_sub_explicit(source_slot(places, address, bits[i]),
			1, memory_order_relaxed);
}

static bool take_sources(struct question_places *places, const uint8_t *address)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits);

	for (unsigned i = 0; i < count; i++) {
		if (add(source_slot(places, address, bits[i]),
			    (unsigned)QUESTIONS_PER_SOURCE << i))
			continue;
		give_sources(places, address, bits, i);
		return false;
	}
	return true;
}

enum question_place question_place_take(struct question_places *places,
	const uint8_t *address, const uint8_t *device)
{
	if (atomic_fetch_add(&places->all, 1) >= QUESTIONS_MOST) {
		atomic_fetch_sub(&places->all, 1);
		return QUESTION_ALL_FULL;
	}
	if (device && !add(device_slot(places, device), QUESTIONS_PER_DEVICE)) {
		atomic_fetch_sub(&places->all, 1);
		return QUESTION_DEVICE_FULL;
	}
	if (take_sources(places, address))
		return QUESTION_PLACED;
	if (device)
		atomic_fetch_sub_explicit(
			device_slot(places, device), 1, memory_order_relaxed);
	atomic_fetch_sub(&places->all, 1);
	return QUESTION_SOURCE_FULL;
}

void question_place_give(struct question_places *places, const uint8_t *address,
	const uint8_t *device)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits);

	give_sources(places, address, bits, count);
	if (device)
		atomic_fetch_sub_explicit(
			device_slot(places, device), 1, memory_order_relaxed);
	atomic_fetch_sub(&places->all, 1);
}
