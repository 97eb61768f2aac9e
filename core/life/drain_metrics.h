/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of a drain: what it waits for, and until when.
 */
#ifndef DRAIN_METRICS_H
#define DRAIN_METRICS_H

/* [C] after metrics_init().  0, or -1 logged. */
int drain_metrics_init(void);

#endif
