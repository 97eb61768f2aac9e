/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Checks, measures, compares and copies descriptions of metrics.
 */
#ifndef METRICS_SHAPE_H
#define METRICS_SHAPE_H

#include <stdbool.h>

#include <strelaysrv/err.h>
#include <strelaysrv/metric.h>

#define SHAPE_BOUNDS_MAX 64
#define SHAPE_VALUES_MAX 256

/* These check a whole description, or the values of a label.  0, or -1 with
 * err. */
int shape_check(const struct relay_metric_def *def, struct relay_err *err);
int shape_check_values(const char *const *values, struct relay_err *err);

/* How many numbers one label value needs, and how many label values there are.
 * The description must have been checked. */
unsigned shape_width(const struct relay_metric_def *def);
unsigned shape_values(const struct relay_metric_def *def);

/* Whether numbers that were counted for one description are valid for the
 * other.  The label's values may differ if both have `read`. */
bool shape_equal(
	const struct relay_metric_def *a, const struct relay_metric_def *b);

/* A deep copy, without `read`.  0, or -1 without memory. */
int shape_copy(
	struct relay_metric_def *to, const struct relay_metric_def *from);
/* Copies the values of a label; NULL without memory. */
const char *const *shape_copy_values(const char *const *values);
/* Accepts NULL. */
void shape_free_values(const char *const *values);
/* Frees what shape_copy() made. */
void shape_finish(struct relay_metric_def *def);

#endif
