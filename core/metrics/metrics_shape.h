/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Descriptions of metrics: checked, measured, compared and copied.
 */
#ifndef METRICS_SHAPE_H
#define METRICS_SHAPE_H

#include <stdbool.h>

#include <strelaysrv/err.h>
#include <strelaysrv/metric.h>

#define SHAPE_BOUNDS_MAX 64
#define SHAPE_VALUES_MAX 256

/* 0, or -1 with what is wrong: with all of it, or with values of a label. */
int shape_check(const struct relay_metric_def *def, struct relay_err *err);
int shape_check_values(const char *const *values, struct relay_err *err);

/* Of a description that was checked: how many numbers one value takes, and how
 * many values there are. */
unsigned shape_width(const struct relay_metric_def *def);
unsigned shape_values(const struct relay_metric_def *def);

/* Whether numbers counted under one would be right under the other: of those
 * that are looked up, the values of the label may differ. */
bool shape_equal(
	const struct relay_metric_def *a, const struct relay_metric_def *b);

/* A deep copy, without `read`.  0, or -1 without memory. */
int shape_copy(
	struct relay_metric_def *to, const struct relay_metric_def *from);
/* Copies of values for a label; NULL without memory. */
const char *const *shape_copy_values(const char *const *values);
/* Accepts NULL. */
void shape_free_values(const char *const *values);
/* Frees what shape_copy() made. */
void shape_finish(struct relay_metric_def *def);

#endif
