/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics about the modules themselves, one value for each that `modules`
 * names.
 */
#ifndef MODULE_METRICS_H
#define MODULE_METRICS_H

struct catalog;
struct metrics_shard;

/* [C] after metrics_init().  0, or -1 logged. */
int module_metrics_init(void);
/*
 * From now on `names`, ended by NULL, are wanted, and found in `catalog`; both
 * are borrowed until the next call.  [C]
 */
void module_metrics_want(
	const struct catalog *catalog, const char *const *names);
/* A timer of a module reported a failure.  Own shard. */
void module_metrics_timer_failed(struct metrics_shard *shard);

#endif
