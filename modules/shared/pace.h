/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pace.h - a rate limit per minute.  Several may come at once: as many as the
 * rate allows in the time burst_ms, at most a minute.
 *
 * It stores one time: when the full rate will be available again.  Milliseconds
 * of the monotonic clock; starts at 0.
 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MINUTE_MS 60000

/* How many may always come at once, if the rate allows that many a minute. */
#define PACE_BURST 30

/* How long one unit lasts.  Rates above 1000 per second are not limited. */
static inline int64_t pace_price_ms(int64_t per_minute)
{
	return per_minute > PACE_MINUTE_MS ? 1 : PACE_MINUTE_MS / per_minute;
}

/* The burst of a rate that is bounded per second, too: half of a minute's
 * units, but at least PACE_BURST, or all units if the rate is lower. */
static inline int64_t pace_short_burst_ms(int64_t per_minute)
{
	int64_t half = PACE_MINUTE_MS / 2, least;

	if (per_minute <= PACE_BURST)
		return PACE_MINUTE_MS;
	least = PACE_BURST * pace_price_ms(per_minute);
	return least > half ? least : half;
}

/* Takes one unit; false if none is left. per_minute 0: no limit. */
static inline bool pace_spend(
	int64_t *clear_ms, int64_t per_minute, int64_t burst_ms, int64_t now_ms)
{
	int64_t from = *clear_ms > now_ms ? *clear_ms : now_ms, price;

	if (per_minute == 0)
		return true;
	price = pace_price_ms(per_minute);
	if (from + price > now_ms + burst_ms)
		return false;
	*clear_ms = from + price;
	return true;
}

#endif
