/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A span in milliseconds as system calls and libevent want it.  Their seconds
 * have 32 bits on some machines; a longer span becomes the longest one.
 */
#ifndef TIME_SPAN_H
#define TIME_SPAN_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* ms: 0 or more.  [*] */
static inline struct timespec time_span_spec(int64_t ms)
{
	const int64_t seconds = ms / 1000;

	return (struct timespec){
		.tv_sec = (time_t)(seconds < INT32_MAX ? seconds : INT32_MAX),
		.tv_nsec = (long)(ms % 1000) * 1000000};
}

static inline struct timeval time_span_val(int64_t ms)
{
	const struct timespec span = time_span_spec(ms);

	return (struct timeval){.tv_sec = span.tv_sec,
		.tv_usec = (suseconds_t)(span.tv_nsec / 1000)};
}

#endif
