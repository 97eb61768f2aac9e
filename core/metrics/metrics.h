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

#include <strelaysrv/err.h>
#include <strelaysrv/metric.h>

#define METRICS_NUMBERS 4096

/* Whose metrics they are.  Outlives its last metric's registration. */
struct metrics_owner {
	const char *name;     /* borrowed, as is cx */
	struct relay_ctx *cx; /* what `read` is called with */
	/* Whether others may see what it registered.  [C] */
	bool (*visible)(const struct metrics_owner *owner);
};

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
	char *module;                      /* owned copy of the name */
	const struct metrics_owner *owner; /* NULL while withdrawn */
	struct relay_metric *next;
	int64_t (*look)(void); /* the server's own; instead of `read` */
	const char *const *next_values; /* owned; NULL: nothing is staged */
	bool relabelled; /* def.values is borrowed, see metrics_relabel() */
};

/* [C]  The server's registry, still without shards.  0, or -1 without memory.
 */
int metrics_create(void);
/* [C]  Frees it with all metrics and shards, once other threads have ended. */
void metrics_destroy(void);
/* [C] before threads start: shards for `workers` workers and the control
 * thread.  0, or -1 without memory. */
int metrics_init(unsigned workers);
/* The shard of a worker, or of the control thread with RELAY_CONTROL. */
struct metrics_shard *metrics_shard(int worker);

/*
 * A metric of the server's own: visible at once as "core", and its `read` is
 * called without a context.  [C]
 */
struct relay_metric *metrics_add_core(const struct relay_metric_def *def);
/* The same for a number that `look` gives; def->read is not set. */
struct relay_metric *metrics_add_lookup(
	const struct relay_metric_def *def, int64_t (*look)(void));

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

void metrics_set(struct metrics_shard *shard, const struct relay_metric *metric,
	unsigned value, int64_t to);

/*
 * [C]  Registers one, or gives back the one of that name and shape that was
 * there before.  The owner is borrowed.  NULL with err.
 */
struct relay_metric *metrics_register(const struct metrics_owner *owner,
	const struct relay_metric_def *def, struct relay_err *err);
/* [C]  Other values for its label, copied.  0, or -1 with err. */
int metrics_set_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err);
/* [C]  The same, but they wait until all that wait for an owner are taken or
 * dropped, of which neither can fail. */
int metrics_stage_values(struct relay_metric *metric, const char *const *values,
	struct relay_err *err);
void metrics_take_values(const struct metrics_owner *owner);
void metrics_drop_values(const struct metrics_owner *owner);
/* Hides what the owner registered; the numbers stay.  [C] */
void metrics_withdraw(const struct metrics_owner *owner);

/* [C]  relay_metrics_visit() and relay_metric_value() for `to`, which also sees
 * what is its own; NULL: nobody's. */
int metrics_visit(
	const struct metrics_owner *to, relay_visit_fn *visit, void *arg);
int64_t metrics_value(const struct metrics_owner *to, const char *module,
	const char *name, const char *value_name);

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
