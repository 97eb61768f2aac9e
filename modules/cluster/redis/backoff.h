/* SPDX-License-Identifier: MPL-2.0 */

/* backoff.h - how long to wait before the next try.  Pure. */
#ifndef REDIS_BACKOFF_H
#define REDIS_BACKOFF_H

#include <stdint.h>

#define BACKOFF_LEAST_MS 100
#define BACKOFF_MOST_MS  5000

/* Doubles with each failure, 0 or more before this one.  Between half of that
 * and all of it, as chance decides, so that not all nodes come at once. */
static inline int64_t backoff_ms(unsigned failures, uint32_t random)
{
	int64_t ms = failures < 5 ? BACKOFF_LEAST_MS * 2 << failures
				  : BACKOFF_MOST_MS;

	return ms - (int64_t)((uint64_t)(ms / 2) * random >> 32);
}

#endif
