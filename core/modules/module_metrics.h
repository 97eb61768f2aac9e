/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics about the modules themselves, with one label value for each module
 * that the option `modules` names.
 */
#ifndef MODULE_METRICS_H
#define MODULE_METRICS_H

struct catalog;
struct metrics_shard;

/* [C] after metrics_init().  0, or -1 logged. */
int module_metrics_init(void);
/*
 * Sets the modules that the metrics are about: `names`, ended by NULL, which
 * are looked up in `catalog`.  Both are borrowed until the next call.  [C]
 */
void module_metrics_want(
	const struct catalog *catalog, const char *const *names);
/* Counts a module's timer that reported a failure.  Own shard. */
void module_metrics_timer_failed(struct metrics_shard *shard);

#endif
