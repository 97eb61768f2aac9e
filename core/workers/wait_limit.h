/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A time limit on what the control thread waits for and cannot give up, such as
 * the answer of a worker.
 */
#ifndef WAIT_LIMIT_H
#define WAIT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * [C]  Sets how long the control thread may take from now on.  After that time
 * the process ends with code 1 (hang_watch.h, which must run).  0: no limit.
 * Time in which the whole process is suspended does not count.  Returns what
 * was left of the limit before.
 */
int64_t wait_limit_set(int64_t ms);

/* Takes `ms` from what is left.  Returns whether the limit is reached.  On the
 * watching thread. */
bool wait_limit_pass(int64_t ms);

#endif
