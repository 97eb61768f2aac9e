/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Mean rates over six windows, from a total that is sampled every 10 s.
 *
 * Pure: time and the total are passed in.
 */
#ifndef RATES_H
#define RATES_H

#include <stddef.h>
#include <stdint.h>

#define RATES_INTERVAL_MS 10000
#define RATES_WINDOWS     6   /* 10 s, 1, 5, 15, 30, 60 minutes */
#define RATES_SAMPLES     361 /* an hour, and its start */

struct rates {
	struct {
		int64_t at_ms;
		int64_t total; /* bytes */
	} ring[RATES_SAMPLES];
	size_t newest, count;
};

/* Counting begins at now_ms with `total`. */
void rates_init(struct rates *rates, int64_t now_ms, int64_t total);

/* Adds a sample; ignored if it is not later than the last one. */
void rates_sample(struct rates *rates, int64_t now_ms, int64_t total);

/*
 * The means in kbit/s up to the last sample, each over its whole window; time
 * before the first sample counts as zero.  0 before the second sample.
 */
void rates_kbps(const struct rates *rates, int64_t out[RATES_WINDOWS]);

#endif
