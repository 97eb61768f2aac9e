/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The text that a Prometheus server scrapes, in either of its two forms.
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
	struct evbuffer *out;                /* borrowed */
	const struct relay_metric_def *last; /* whose head is written */
};

/* The form that an Accept header asks for. */
enum exposition_form exposition_choose(const char *accept);
/* The Content-Type of a form. */
const char *exposition_type(enum exposition_form form);

/* A sample; those of one metric come one after the other.  0, or -1 without
 * memory. */
int exposition_add(struct exposition *e, const struct relay_sample *sample);
/* What has to stand behind the last one.  0 or -1. */
int exposition_end(struct exposition *e);

#endif
