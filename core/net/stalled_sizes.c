/* SPDX-License-Identifier: MPL-2.0 */

/* What stalled directions of sessions hold in the kernel, by size. */

#include <stdatomic.h>

#include "base/instance.h"
#include "net/net_state.h"
#include "net/stalled_sizes.h"

static struct stalled_sizes *self(void)
{
	return &instance->net->stalled;
}

static unsigned class_of(size_t size)
{
	unsigned log = 63 - (unsigned)__builtin_clzll(size);

	/* Four classes for each power of two, by the two bits after it. */
	return log < 2 ? 0 : 4 * log + (unsigned)(size >> (log - 2) & 3);
}

static size_t least_of(unsigned class)
{
	return (size_t)((uint64_t)(4 + class % 4) << (class / 4) >> 2);
}

static void add(size_t size, int64_t by)
{
	if (size)
		atomic_fetch_add_explicit(&self()->held[class_of(size)], by,
			memory_order_relaxed);
}

void stalled_sizes_change(size_t before, size_t now)
{
	if (before == now)
		return;
	add(before, -(int64_t)before);
	add(now, (int64_t)now);
}

size_t stalled_sizes_from(int64_t bytes)
{
	int64_t sum = 0;

	for (unsigned i = STALLED_SIZE_CLASSES; i-- > 0;) {
		sum += atomic_load_explicit(
			&self()->held[i], memory_order_relaxed);
		if (sum >= bytes)
			return least_of(i);
	}
	return 0;
}
