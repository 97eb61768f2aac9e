/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pace.h - so many a minute, of which a minute's worth may come at once.
 *
 * One time is all that is kept: when the rate will be as if it had never been
 * used.  Milliseconds of the monotonic clock; a new one begins with 0.
 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MINUTE_MS 60000

/* Whether one more fits, which is then spent; per_minute 0: always. */
static inline bool pace_spend(
	int64_t *clear_ms, int64_t per_minute, int64_t now_ms)
{
	/* Above a thousand a second none is counted. */
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
