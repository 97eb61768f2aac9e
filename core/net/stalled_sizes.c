/* SPDX-License-Identifier: MPL-2.0 */

/* What stalled directions of sessions hold in the kernel, by size. */

#include <stdatomic.h>

#include "net/stalled_sizes.h"

/* Each power of two has four classes. */
#define CLASSES (4 * 64)

static _Atomic int64_t held[CLASSES];

static unsigned class_of(size_t size)
{
	unsigned log = 63 - (unsigned)__builtin_clzll(size);

	/* The two bits after the first one. */
	return log < 2 ? 0 : 4 * log + (size >> (log - 2) & 3);
}

static size_t least_of(unsigned class)
{
	return (size_t)(4 + class % 4) << (class / 4) >> 2;
}

static void add(size_t size, int64_t by)
{
	if (size)
		atomic_fetch_add_explicit(
			&held[class_of(size)], by, memory_order_relaxed);
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

	for (unsigned class = CLASSES; class -- > 0;) {
		sum += atomic_load_explicit(&held[class], memory_order_relaxed);
		if (sum >= bytes)
			return least_of(class);
	}
	return 0;
}
