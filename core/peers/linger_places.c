/* SPDX-License-Identifier: MPL-2.0 */

/* How many lingering connections each source has. */

#include <string.h>

#include "base/prefix_hash.h"
#include "net/memory_by_source.h"
#include "peers/linger_places.h"

static unsigned slot(const struct linger_places *places, const uint8_t *address,
	unsigned bits)
{
	uint64_t words[2] = {0};

	memcpy(words, address, bits / 8);
	return (unsigned)(prefix_hash(places->seed, words[0], words[1], bits) %
			  LINGER_SLOTS);
}

void linger_places_change(struct linger_places *places, const uint8_t *address,
	bool session, int by)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits);

	for (unsigned i = 0; i < count; i++) {
		uint16_t *held =
			&places->held[session][slot(places, address, bits[i])];

		/* While the server stops, any number may linger. */
		if (by > 0 ? *held < UINT16_MAX : *held > 0)
			*held = (uint16_t)(*held + by);
	}
}

unsigned linger_places_held(const struct linger_places *places,
	const uint8_t *address, bool session)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits), most = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned held =
			places->held[session][slot(places, address, bits[i])];

		if (held >> i > most)
			most = held >> i;
	}
	return most;
}
