/* SPDX-License-Identifier: MPL-2.0 */

/*
 * monotonic.h - the monotonic clock, for the module's own threads.
 */
#ifndef MONOTONIC_H
#define MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since an unspecified start. */
static inline int64_t monotonic_now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
