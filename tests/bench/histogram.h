/* SPDX-License-Identifier: MPL-2.0 */

/* histogram.h - a distribution of durations in constant memory, exact to 2 %.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   64 /* per power of two */
#define HISTOGRAM_POWERS  40
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * HISTOGRAM_POWERS)

/* All zero means empty. */
struct histogram {
	uint64_t count;
	int64_t max_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t ns);

/*
 * The smallest duration that a part `share` of all does not exceed; 0 if empty.
 */
int64_t histogram_percentile(const struct histogram *histogram, double share);

#endif
