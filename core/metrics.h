/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The metrics registry: numbers in one shard for each thread, summed on a
 * visit.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/metric.h>

#define METRICS_NUMBERS 4096

struct relay_module;

/* One thread's numbers; only that thread writes, so plain relaxed stores do. */
struct metrics_shard {
	_Atomic int64_t number[METRICS_NUMBERS];
};

/* The handle: where its numbers begin, and how many there are per value. */
struct relay_metric {
	unsigned first;  /* index of the first number */
	unsigned width;  /* numbers for one value: 1, or a histogram's */
	unsigned values; /* how many label values; 1 without a label */
	/* A deep copy, so that it survives the module.  Only `read` changes. */
	struct relay_metric_def def;
	/* what follows is [C] only */
	char *module;               /* owned copy of the name */
	struct relay_module *owner; /* NULL while withdrawn */
	struct relay_metric *next;
	bool relabelled; /* def.values is borrowed, see metrics_relabel() */
};

/* [C] before threads start: shards for `workers` workers and the control. */
int metrics_init(unsigned workers);
void metrics_finish(void);
/* The shard of a worker, or of the control thread with RELAY_CONTROL. */
struct metrics_shard *metrics_shard(int worker);

/*
 * A metric of the server's own: visible at once as "core", and its `read` is
 * called without a context.  [C]
 */
struct relay_metric *metrics_add_core(const struct relay_metric_def *def);

/*
 * Other values for the label of a metric of the server's own that is looked up,
 * and so has no numbers of its own that they would belong to.  Borrowed until
 * the next call, or the end.  [C]
 */
void metrics_relabel(struct relay_metric *metric, const char *const *values);

/* Own shard.  A value out of range and a counter's negative are not counted. */
void metrics_count(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t by);
void metrics_observe(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t seen);

/* Hides what the module registered; the numbers stay.  [C] */
void metrics_withdraw(struct relay_module *mod);

static inline void metrics_add(
	struct metrics_shard *shard, unsigned at, int64_t by)
{
	_Atomic int64_t *n = &shard->number[at];

	/* No other thread writes here: no locked instruction is needed. */
	atomic_store_explicit(n,
		atomic_load_explicit(n, memory_order_relaxed) + by,
		memory_order_relaxed);
}

#endif
