/* SPDX-License-Identifier: MPL-2.0 */

/* How much kernel memory the sessions of each source hold. */

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/random.h>

#include "base/instance.h"
#include "base/prefix_hash.h"
#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/net_state.h"

#define LEVELS 3

static struct memory_sources *self(void)
{
	return &instance->net->sources;
}

/* If two threads are the first at the same time, both must get the same seed.
 */
static uint64_t seed(void)
{
	struct memory_sources *sources = self();

	uint64_t now =
		atomic_load_explicit(&sources->seed, memory_order_relaxed);
	uint64_t fresh = 0;

	if (now)
		return now;
	/* Without randomness, attackers can aim at an entry of the table. */
	(void)!getrandom(&fresh, sizeof(fresh), GRND_NONBLOCK);
	fresh |= 1;
	if (atomic_compare_exchange_strong(&sources->seed, &now, fresh))
		return fresh;
	return now;
}

static _Atomic int64_t *slot(const uint8_t *address, unsigned bits)
{
	uint64_t words[2] = {0};

	memcpy(words, address, bits / 8);
	return &self()->held[prefix_hash(seed(), words[0], words[1], bits) %
			     MEMORY_SOURCE_SLOTS];
}

unsigned memory_source_levels(const uint8_t *address, const uint8_t **bits)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t v4[] = {128}, v6[LEVELS] = {64, 56, 48};
	static const uint8_t here_v4[] = {127, 0, 0, 1};
	bool is_v4 = memcmp(address, mapped, sizeof(mapped)) == 0;

	if (is_v4 ? memcmp(address + sizeof(mapped), here_v4, 4) == 0
		  : memcmp(address, &in6addr_loopback, 16) == 0)
		return 0;
	*bits = is_v4 ? v4 : v6;
	return is_v4 ? 1 : LEVELS;
}

void memory_source_change(const uint8_t *address, int64_t by)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits);

	for (unsigned i = 0; by && i < count; i++)
		atomic_fetch_add_explicit(
			slot(address, bits[i]), by, memory_order_relaxed);
}

int64_t memory_source_held(const uint8_t *address)
{
	const uint8_t *bits;
	unsigned count = memory_source_levels(address, &bits);
	int64_t most = 0;

	for (unsigned i = 0; i < count; i++) {
		int64_t held = atomic_load_explicit(slot(address, bits[i]),
				       memory_order_relaxed) >>
			       i;

		if (held > most)
			most = held;
	}
	return most;
}

bool memory_source_above(const uint8_t *address)
{
	return memory_source_held(address) >
	       kernel_memory_limit() / MEMORY_SOURCE_PART;
}
