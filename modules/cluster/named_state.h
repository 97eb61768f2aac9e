/* SPDX-License-Identifier: MPL-2.0 */

/* named_state.h - which nodes are labels of metrics.  [C] */
#ifndef CLUSTER_NAMED_STATE_H
#define CLUSTER_NAMED_STATE_H

#include <stdint.h>

/* More names are no labels of metrics. */
#define NAMED_MOST 64

struct named {
	uint64_t incarnation[NAMED_MOST]; /* [0]: this process */
	unsigned count;
};

#endif
