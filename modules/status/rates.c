/* SPDX-License-Identifier: MPL-2.0 */

/* Mean rates over six windows. */

#include <string.h>

#include "rates.h"

/* In samples. */
static const size_t windows[RATES_WINDOWS] = {1, 6, 30, 90, 180, 360};

_Static_assert(RATES_SAMPLES == 360 + 1, "the longest window fits");

void rates_init(struct rates *rates, int64_t now_ms, int64_t total)
{
	memset(rates, 0, sizeof(*rates));
	rates->ring[0].at_ms = now_ms;
	rates->ring[0].total = total;
	rates->count = 1;
}

void rates_sample(struct rates *rates, int64_t now_ms, int64_t total)
{
	size_t at = (rates->newest + 1) % RATES_SAMPLES;

	/* Two samples at the same time would divide by zero. */
	if (now_ms <= rates->ring[rates->newest].at_ms)
		return;
	rates->ring[at].at_ms = now_ms;
	rates->ring[at].total = total;
	rates->newest = at;
	if (rates->count < RATES_SAMPLES)
		rates->count++;
}

/*
 * Bits per millisecond are kbit/s.  Time before the first sample counts as
 * zero, as in the Go server: the pool and dashboards compare relays by these
 * values.
 */
static int64_t mean(const struct rates *rates, size_t window)
{
	size_t back = window < rates->count ? window : rates->count - 1;
	size_t from = (rates->newest + RATES_SAMPLES - back) % RATES_SAMPLES;
	int64_t ms = rates->ring[rates->newest].at_ms -
		     rates->ring[from].at_ms +
		     (int64_t)(window - back) * RATES_INTERVAL_MS;
	int64_t bytes =
		rates->ring[rates->newest].total - rates->ring[from].total;

	if (ms <= 0 || bytes <= 0)
		return 0;
	/* In two steps, because eight times a large total would overflow. */
	return bytes / ms * 8 + bytes % ms * 8 / ms;
}

void rates_kbps(const struct rates *rates, int64_t out[RATES_WINDOWS])
{
	for (size_t i = 0; i < RATES_WINDOWS; i++)
		out[i] = mean(rates, windows[i]);
}
