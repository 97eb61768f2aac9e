/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How late the loops are: each has a timer, whose delay is measured.
 *
 * A handler that takes long delays everything else on its loop.  Two
 * measurements a second cost next to nothing, and find delays that last.
 */
#ifndef LOOP_LAG_H
#define LOOP_LAG_H

#include <stdint.h>

struct loop;

/* How often the timer of each loop fires. */
#define LOOP_LAG_BEAT_MS 500

/* [C]  Starts the timers on the control loop and on the workers, which must
 * exist.  0, or -1 without memory. */
int loop_lag_start(struct loop *control);
/* [C]  Call it when the workers' threads have ended, before their loops are
 * freed. */
void loop_lag_finish(void);

/*
 * The loops by number: 0 is the control loop, i + 1 that of worker i.  From
 * loop_lag_start() to loop_lag_finish(), where the count is not 0.  [*]
 */
unsigned loop_lag_count(void);
const struct loop *loop_lag_loop(unsigned i);
/* How long ago its timer fired, which it does every LOOP_LAG_BEAT_MS.  0 if
 * there was no memory for the timer: then it is not known. */
int64_t loop_lag_silence_of_ms(unsigned i);
/* Counts as if its timer had fired now. */
void loop_lag_touch(unsigned i);

/*
 * [C]  Finds the worker whose timer has not fired for the longest time: returns
 * that time, and sets *worker to its number.  0 before loop_lag_start().
 */
int64_t loop_lag_silence_ms(unsigned *worker);

#endif
