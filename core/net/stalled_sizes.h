/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How much kernel memory the stalled directions of sessions hold, by size, so
 * that those that hold most can end first, and only as many as needed.  All
 * threads share the numbers; every function is [*].
 */
#ifndef STALLED_SIZES_H
#define STALLED_SIZES_H

#include <stddef.h>
#include <stdint.h>

/* A stalled direction held `before` bytes and holds `now`; 0: it did or does
 * not stall. */
void stalled_sizes_change(size_t before, size_t now);

/*
 * The largest size S, in bytes, such that all stalled directions that hold S or
 * more hold at least `bytes` together.  0: all stalled directions together hold
 * less.  S is rounded down by at most a fifth.
 */
size_t stalled_sizes_from(int64_t bytes);

#endif
