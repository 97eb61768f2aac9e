/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The metrics registry.  Each thread counts in a shard of its own; a reader
 * gets the sum of all shards.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/metric.h>

#define METRICS_NUMBERS 4096

/* The owner of metrics.  It must live until its metrics are withdrawn. */
struct metrics_owner {
	const char *name;     /* borrowed, as is cx */
	struct relay_ctx *cx; /* the context that `read` is called with */
	/* Whether others may see its metrics.  [C] */
	bool (*visible)(const struct metrics_owner *owner);
};

/* The numbers of one thread.  Only that thread writes, so relaxed stores are
 * sufficient. */
struct metrics_shard {
	_Atomic int64_t number[METRICS_NUMBERS];
};

/* The handle of a metric: which numbers of a shard belong to it, and its
 * description. */
struct relay_metric {
	unsigned first;  /* index of the first number */
	unsigned width;  /* numbers per label value: 1, except for histograms */
	unsigned values; /* how many label values; 1 without a label */
	/* A deep copy, since the module may end.  `read` and the label's values
	 * may change. */
	struct relay_metric_def def;
	/* The following members are [C] only. */
	char *module;                      /* owned copy of the name */
	const struct metrics_owner *owner; /* NULL while withdrawn */
	struct relay_metric *next;
	int64_t (*look)(void); /* of metrics_add_lookup(); replaces `read` */
	const char *const *next_values; /* owned; NULL: nothing is staged */
	bool relabelled; /* def.values is borrowed, see metrics_relabel() */
};

/* [C]  Makes the server's registry, without shards.  0, or -1 without memory.
 */
int metrics_create(void);
/* [C]  Frees the registry, all metrics and shards.  Other threads must have
 * ended. */
void metrics_destroy(void);
/* [C]  Makes the shards for `workers` workers and the control thread; before
 * threads start.  0, or -1 without memory. */
int metrics_init(unsigned workers);
/* The shard of a worker, or of the control thread with RELAY_CONTROL. */
struct metrics_shard *metrics_shard(int worker);

/*
 * Registers a metric of the server itself.  It is visible at once, under the
 * module name "core"; its `read` is called without a context.  NULL is logged.
 * [C]
 */
struct relay_metric *metrics_add_core(const struct relay_metric_def *def);
/* The same for a metric whose value `look` returns; def->read must be NULL. */
struct relay_metric *metrics_add_lookup(
	const struct relay_metric_def *def, int64_t (*look)(void));

/*
 * Replaces the label values of a metric of the server itself.  Only for one
 * that is looked up, so that no counted numbers belong to the old values.
 * `values` is borrowed until the next call, or the end.  [C]
 */
void metrics_relabel(struct relay_metric *metric, const char *const *values);

/* For the thread's own shard.  A label value out of range and a negative `by`
 * of a counter are ignored. */
void metrics_count(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t by);
void metrics_observe(struct metrics_shard *shard,
	const struct relay_metric *metric, unsigned value, int64_t seen);

void metrics_set(struct metrics_shard *shard, const struct relay_metric *metric,
	unsigned value, int64_t to);

/*
 * [C]  Registers a metric, or returns the existing one of that name if it has
 * the same shape.  Borrows the owner.  NULL with err.
 */
struct relay_metric *metrics_register(const struct metrics_owner *owner,
	const struct relay_metric_def *def, struct relay_err *err);
/* [C]  Replaces its label's values by a copy.  0, or -1 with err. */
int metrics_set_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err);
/*
 * [C]  The same, but the values are only staged, until metrics_take_values()
 * activates all staged values of an owner, or metrics_drop_values() drops them.
 * Neither can fail.
 */
int metrics_stage_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err);
void metrics_take_values(const struct metrics_owner *owner);
void metrics_drop_values(const struct metrics_owner *owner);
/* [C]  The same for one metric. */
void metrics_take_one(struct relay_metric *metric);
void metrics_drop_one(struct relay_metric *metric);
/* Hides the owner's metrics; their numbers are kept.  [C] */
void metrics_withdraw(const struct metrics_owner *owner);

/* [C]  relay_metrics_visit() and relay_metric_value() on behalf of `to`, which
 * also sees its own metrics if others do not see them yet.  NULL: no module. */
int metrics_visit(
	const struct metrics_owner *to, relay_visit_fn *visit, void *arg);
int64_t metrics_value(const struct metrics_owner *to, const char *module,
	const char *name, const char *value_name);

static inline void metrics_add(
	struct metrics_shard *shard, unsigned at, int64_t by)
{
	_Atomic int64_t *n = &shard->number[at];

	/* No other thread writes here, so no locked instruction is needed. */
	atomic_store_explicit(n,
		atomic_load_explicit(n, memory_order_relaxed) + by,
		memory_order_relaxed);
}

#endif
