/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: that of each of its units.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include <stddef.h>
#include <stdint.h>

struct inherited;
struct relay_metric;

/* For capacity.c. */
struct capacity {
	int64_t all; /* descriptors; [C] */
	_Atomic int64_t
		soft; /* above it, modules refuse newcomers by protocol */
	_Atomic int64_t hard; /* at it, newcomers evict strangers */
	_Atomic int64_t loan; /* how many may exceed hard for a moment */
	unsigned pipes;
	_Atomic int64_t open;
	_Atomic int64_t settled; /* of these; soft bounds them */
};

/* For inherited.c. */
struct inherited_sockets {
	struct inherited *list; /* owned array */
	size_t count;
};

/* For kernel_memory.c. */
struct kernel_memory {
	_Atomic int64_t sum, bound;
	_Atomic int64_t since_ms; /* when sum was seen to exceed bound; or 0 */
};

#define MEMORY_SOURCE_SLOTS 8192

/* For memory_by_source.c. */
struct memory_sources {
	_Atomic int64_t held[MEMORY_SOURCE_SLOTS];
	_Atomic uint64_t seed; /* 0: not chosen yet */
};

#define STALLED_SIZE_CLASSES (4 * 64) /* four for each power of two */

/* For stalled_sizes.c. */
struct stalled_sizes {
	_Atomic int64_t held[STALLED_SIZE_CLASSES];
};

struct net_state {
	struct capacity capacity;
	struct inherited_sockets inherited;
	struct kernel_memory memory;
	struct memory_sources sources;
	struct stalled_sizes stalled;
	struct relay_metric **metrics; /* owned array; by enum net_metric */
};

/* [C]  0, or -1 without memory. */
int net_create(void);
/* [C]  After inherited_finish().  Accepts a state that was not made. */
void net_destroy(void);

#endif
