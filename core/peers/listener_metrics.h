/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of each listener: of its name, or of its address if it has none.
 * All functions are [C].
 */
#ifndef LISTENER_METRICS_H
#define LISTENER_METRICS_H

struct listen_set;

/* After metrics_init().  0, or -1 logged. */
int listener_metrics_init(void);
/* The labels of a set that may come into force, in its order.  Does nothing
 * before listener_metrics_init().  0, or -1 without memory. */
int listener_metrics_stage(const struct listen_set *set);
/* The set has come into force, or never will. */
void listener_metrics_take(void);
void listener_metrics_drop(void);

#endif
