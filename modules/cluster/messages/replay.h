/* SPDX-License-Identifier: MPL-2.0 */

/* replay.h - whether a sender's counter was seen before: a sliding window. */
#ifndef CLUSTER_REPLAY_H
#define CLUSTER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/* A message may be overtaken by fewer others. */
#define REPLAY_WINDOW 256

struct replay {
	uint64_t highest; /* 0: nothing yet */
	uint64_t seen[REPLAY_WINDOW / 64];
};

/* True once for each counter that is new; a counter of 0, one that was seen,
 * and one that is older than the window are false. */
bool replay_is_new(struct replay *replay, uint64_t counter);

#endif
