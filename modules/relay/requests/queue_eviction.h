/* SPDX-License-Identifier: MPL-2.0 */

/* queue_eviction.h - chooses which invitation leaves a full queue. */
#ifndef QUEUE_EVICTION_H
#define QUEUE_EVICTION_H

#include <stdint.h>

#include "relay/requests/queues.h"

/*
 * Which invitation must leave that queue to make room for another, so that at
 * most `each` are of one requester or one source, and at most `all` in total
 * (0: no limit).  NULL: none; for_it: the new one itself, because all others
 * are better.  Among those of the lowest rank it chooses one of the source that
 * would have the most, so that repeated requests replace their own.  Among
 * these it chooses those whose side of the session has not connected, then the
 * oldest.
 */
struct pending *queues_victim(struct queues *queues, struct pending *for_it,
	const uint8_t source[][ID_LEN], unsigned levels, int64_t each,
	int64_t all, int64_t now_ms);

#endif
