/* SPDX-License-Identifier: MPL-2.0 */

/*
 * random_number.h - a random number for times that shall differ; no secret.
 */
#ifndef RANDOM_NUMBER_H
#define RANDOM_NUMBER_H

#include <stdint.h>
#include <sys/random.h>

#include "shared/monotonic.h"

static inline uint32_t random_number(void)
{
	uint32_t number;

	/* Cannot fail for so few bytes after boot. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
		(ssize_t)sizeof(number))
		return (uint32_t)monotonic_now_ms();
	return number;
}

#endif
