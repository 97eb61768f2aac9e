/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How late the loops are: a timer on each, whose lateness is observed.
 *
 * Whatever holds up a loop, holds up all that it carries; two looks a second
 * cost nothing and find what lasts.
 */
#ifndef LOOP_LAG_H
#define LOOP_LAG_H

#include <stdint.h>

struct loop;

/* Every loop gives a sign of life this often. */
#define LOOP_LAG_BEAT_MS 500

/* [C]  Workers exist; on them and the control loop.  0, or -1 without memory.
 */
int loop_lag_start(struct loop *control);
/* [C]  Workers' threads have ended, their loops have not. */
void loop_lag_finish(void);

/*
 * [C]  For how long the worker that has been silent for longest has given none;
 * *worker is its number.  0 before loop_lag_start().
 */
int64_t loop_lag_silence_ms(unsigned *worker);

#endif
