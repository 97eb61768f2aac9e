/* SPDX-License-Identifier: MPL-2.0 */

/* Buckets of equal relative width, linear within each power of two. */

#include "histogram.h"

/* log2 of HISTOGRAM_STEPS. */
#define STEP_BITS 6

/* Below HISTOGRAM_STEPS ns a bucket is one nanosecond. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned top, index;

	if (ns < HISTOGRAM_STEPS)
		return (unsigned)ns;
	top = 63 - (unsigned)__builtin_clzll(ns);
	index = (top - STEP_BITS + 1) * HISTOGRAM_STEPS +
		(unsigned)(ns >> (top - STEP_BITS) & (HISTOGRAM_STEPS - 1));
	return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

/* The largest duration in a bucket. */
static int64_t end_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	return ((int64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS + 1)
		       << shift) -
	       1;
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	histogram->buckets[bucket_of((uint64_t)ns)]++;
	histogram->count++;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

int64_t histogram_percentile(const struct histogram *histogram, double share)
{
	uint64_t seen = 0, want = (uint64_t)(share * (double)histogram->count);

	if (want < 1)
		want = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= want && seen < histogram->count)
			return end_of(i) < histogram->max_ns
				       ? end_of(i)
				       : histogram->max_ns;
	}
	return histogram->max_ns;
}
