/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of listening sockets, and of the bounds on descriptors and memory.
 */
#ifndef NET_METRICS_H
#define NET_METRICS_H

#include <stdint.h>

struct metrics_shard;

enum net_metric {
	NET_ACCEPT_ERRORS, /* counter, by enum net_accept_error */
	NET_METRIC_COUNT
};
enum net_accept_error {
	NET_ACCEPT_DESCRIPTORS, /* EMFILE, ENFILE */
	NET_ACCEPT_MEMORY,
	NET_ACCEPT_OTHER,
};

/* [C] after metrics_init().  0, or -1 logged. */
int net_metrics_init(void);
/* Own shard.  Does nothing before net_metrics_init(). */
void net_count(struct metrics_shard *shard, enum net_metric which,
	unsigned value, int64_t by);

#endif
