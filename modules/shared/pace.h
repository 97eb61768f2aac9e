/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pace.h - a rate limit per minute; all of a minute may come at once.
 *
 * It stores one time: when the full rate will be available again.  Milliseconds
 * of the monotonic clock; starts at 0.
 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MINUTE_MS 60000

/* Takes one unit; false if none is left. per_minute 0: no limit. */
static inline bool pace_spend(
	int64_t *clear_ms, int64_t per_minute, int64_t now_ms)
{
	/* Rates above 1000 per second are not limited. */
	int64_t price =
		per_minute > PACE_MINUTE_MS
			? 1
			: PACE_MINUTE_MS / (per_minute ? per_minute : 1);
	int64_t from = *clear_ms > now_ms ? *clear_ms : now_ms;

	if (per_minute == 0)
		return true;
	if (from + price > now_ms + PACE_MINUTE_MS)
		return false;
	*clear_ms = from + price;
	return true;
}

#endif
