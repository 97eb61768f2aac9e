/* SPDX-License-Identifier: MPL-2.0 */

/* clock.h - the wall clock, in a separate file so that tests can replace it. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* The wall clock, seconds since 1970. */
int64_t clock_now_s(void);

#endif
