/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The monotonic clock.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds, and in milliseconds.  [*] */
int64_t clock_us(void);
int64_t clock_ms(void);

#endif
