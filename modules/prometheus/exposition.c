/* SPDX-License-Identifier: MPL-2.0 */

/* The metrics as text for Prometheus. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "exposition.h"

#define NAME_MAX_LEN 256

static const char *const types[] = {
	[RELAY_COUNTER] = "counter",
	[RELAY_GAUGE] = "gauge",
	[RELAY_HISTOGRAM] = "histogram",
};

/* Names. */

static int print_name(const char *name, struct evbuffer *out)
{
	char text[NAME_MAX_LEN];
	size_t len = strnlen(name, sizeof(text));

	/* Module names may contain dashes, which metric names must not. */
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(name[i] == '-' ? '_' : name[i]);
	return evbuffer_add(out, text, len);
}

static int print_text(const char *text, struct evbuffer *out)
{
	return evbuffer_add(out, text, strlen(text));
}

/* Appends strings up to NULL.  With printf(3) a page takes twice as long. */
#define PRINT(out, ...)                                                        \
	print_texts(out, (const char *const[]){__VA_ARGS__, NULL})

static int print_texts(struct evbuffer *out, const char *const *texts)
{
	int result = 0;

	for (; result == 0 && *texts; texts++)
		result = print_text(*texts, out);
	return result;
}

/* strelaysrv_MODULE_NAME_UNIT, without the suffix of a sample. */
static int print_family(const struct relay_sample *sample, struct evbuffer *out)
{
	const struct relay_metric_def *def = sample->def;
	bool has_unit = def->unit && *def->unit;

	if (print_text("strelaysrv_", out) || print_name(sample->module, out))
		return -1;
	return PRINT(out, "_", def->name, has_unit ? "_" : NULL, def->unit);
}

/* Only OpenMetrics escapes quotes in help texts. */
static int print_escaped(const char *text, bool quotes, struct evbuffer *out)
{
	while (*text) {
		size_t plain = strcspn(text, quotes ? "\\\n\"" : "\\\n");
		const char *as = text[plain] == '\n'   ? "\\n"
				 : text[plain] == '\\' ? "\\\\"
						       : "\\\"";

		if (evbuffer_add(out, text, plain))
			return -1;
		text += plain;
		if (*text && print_text(as, out))
			return -1;
		text += *text != '\0';
	}
	return 0;
}

/* Headers: HELP, TYPE, UNIT. */

static int print_head(struct exposition *e, const struct relay_sample *sample)
{
	const struct relay_metric_def *def = sample->def;
	bool open = e->form == EXPOSITION_OPENMETRICS;
	/* In OpenMetrics a counter's family has no _total suffix. */
	const char *suffix =
		def->kind == RELAY_COUNTER && !open ? "_total" : "";

	if (print_text("# HELP ", e->out) || print_family(sample, e->out) ||
		PRINT(e->out, suffix, " ") ||
		print_escaped(def->help, open, e->out) ||
		print_text("\n# TYPE ", e->out) ||
		print_family(sample, e->out) ||
		PRINT(e->out, suffix, " ", types[def->kind], "\n"))
		return -1;
	if (!open || !def->unit || !*def->unit)
		return 0;
	if (print_text("# UNIT ", e->out) || print_family(sample, e->out) ||
		evbuffer_add_printf(e->out, " %s\n", def->unit) < 0)
		return -1;
	return 0;
}

/* Samples. */

/* NAME SUFFIX {LABEL="VALUE",le="BOUND"} NUMBER; le may be NULL. */
static int print_line(struct exposition *e, const struct relay_sample *sample,
	const char *suffix, const char *le, const char *number)
{
	const char *label = sample->value_name ? sample->def->label : NULL;

	if (print_family(sample, e->out) || print_text(suffix, e->out))
		return -1;
	if (label && (PRINT(e->out, "{", label, "=\"") ||
			     print_escaped(sample->value_name, true, e->out) ||
			     print_text("\"", e->out)))
		return -1;
	if (le && evbuffer_add_printf(
			  e->out, "%sle=\"%s\"", label ? "," : "{", le) < 0)
		return -1;
	return PRINT(e->out, label || le ? "} " : " ", number, "\n");
}

static int print_histogram(
	struct exposition *e, const struct relay_sample *sample)
{
	const struct relay_metric_def *def = sample->def;
	char number[RELAY_NUMBER_TEXT], le[RELAY_NUMBER_TEXT + 2];
	char count[RELAY_NUMBER_TEXT];

	for (size_t i = 0; def->bounds[i]; i++) {
		(void)relay_metric_text(def, def->bounds[i], le);
		/* OpenMetrics requires bounds in floating-point form. */
		if (e->form == EXPOSITION_OPENMETRICS && !strpbrk(le, ".e"))
			memcpy(le + strlen(le), ".0", 3);
		(void)snprintf(
			number, sizeof(number), "%" PRId64, sample->buckets[i]);
		if (print_line(e, sample, "_bucket", le, number))
			return -1;
	}
	(void)relay_sample_text(sample, count);
	(void)relay_metric_text(def, sample->sum, number);
	return print_line(e, sample, "_bucket", "+Inf", count) ||
			       print_line(e, sample, "_sum", NULL, number) ||
			       print_line(e, sample, "_count", NULL, count)
		       ? -1
		       : 0;
}

int exposition_add(struct exposition *e, const struct relay_sample *sample)
{
	const struct relay_metric_def *def = sample->def;
	char number[RELAY_NUMBER_TEXT];

	if (e->last != def && print_head(e, sample))
		return -1;
	e->last = def;
	if (def->kind == RELAY_HISTOGRAM)
		return print_histogram(e, sample);
	(void)relay_sample_text(sample, number);
	return print_line(e, sample, def->kind == RELAY_COUNTER ? "_total" : "",
		NULL, number);
}

int exposition_end(struct exposition *e)
{
	return e->form == EXPOSITION_OPENMETRICS ? print_text("# EOF\n", e->out)
						 : 0;
}

/* Choice of the format. */

/*
 * A client that supports OpenMetrics lists it first; q=0 means that it does not
 * want it.
 */
enum exposition_form exposition_choose(const char *accept)
{
	static const char wanted[] = "application/openmetrics-text";
	const char *at = strcasestr(accept, wanted), *q, *end;

	if (!at)
		return EXPOSITION_TEXT;
	end = at + strcspn(at, ",");
	q = strcasestr(at, "q=");
	if (q && q < end && strtod(q + 2, NULL) <= 0)
		return EXPOSITION_TEXT;
	return EXPOSITION_OPENMETRICS;
}

const char *exposition_type(enum exposition_form form)
{
	return form == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; "
			 "charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
