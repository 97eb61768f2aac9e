/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The metrics as text for Prometheus, in either of two formats.
 *
 * Pure: samples in, text out.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/metric.h>

struct evbuffer;

enum exposition_form {
	EXPOSITION_TEXT,        /* Prometheus text format 0.0.4 */
	EXPOSITION_OPENMETRICS, /* OpenMetrics 1.0.0 */
};

struct exposition {
	enum exposition_form form;
	struct evbuffer *out; /* borrowed */
	const struct relay_metric_def
		*last; /* the metric whose header was written last */
};

/* The format that an Accept header requests. */
enum exposition_form exposition_choose(const char *accept);
/* The Content-Type of a format. */
const char *exposition_type(enum exposition_form form);

/*
 * Appends a sample; samples of one metric must be consecutive.  0, or -1 if
 * memory is short.
 */
int exposition_add(struct exposition *e, const struct relay_sample *sample);
/* Appends the end of the page.  0 or -1. */
int exposition_end(struct exposition *e);

#endif
