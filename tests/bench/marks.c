/* SPDX-License-Identifier: MPL-2.0 */

/* A ring of marks between two threads. */

#include "marks.h"

void marks_sent(struct marks *marks, uint64_t position, int64_t sent_ns)
{
	const uint32_t made =
		atomic_load_explicit(&marks->made, memory_order_relaxed);
	const uint32_t used =
		atomic_load_explicit(&marks->used, memory_order_acquire);

	if (made - used == MARKS || position - marks->last < MARKS_APART)
		return;
	marks->last = position;
	marks->ring[made % MARKS] = (struct mark){position, sent_ns};
	atomic_store_explicit(&marks->made, made + 1, memory_order_release);
}

void marks_received(struct marks *marks, uint64_t position, int64_t now_ns,
	struct histogram *delays)
{
	const uint32_t made =
		atomic_load_explicit(&marks->made, memory_order_acquire);
	uint32_t used =
		atomic_load_explicit(&marks->used, memory_order_relaxed);

	while (used != made && marks->ring[used % MARKS].position <= position) {
		if (delays)
			histogram_add(delays,
				now_ns - marks->ring[used % MARKS].sent_ns);
		used++;
	}
	atomic_store_explicit(&marks->used, used, memory_order_release);
}
