/* SPDX-License-Identifier: MPL-2.0 */

/* Checks, measures, compares and copies descriptions of metrics. */

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/metrics_shape.h"

/* What is_name() accepts, for error texts. */
#define NAME_FORM " a letter, then letters, digits and _, all in lower case"

/* Names that any exporter can use unchanged: [a-z][a-z0-9_]*. */
static bool is_name(const char *name)
{
	if (!name || !(*name >= 'a' && *name <= 'z'))
		return false;
	for (; *name; name++) {
		if (!(*name >= 'a' && *name <= 'z') &&
			!(*name >= '0' && *name <= '9') && *name != '_')
			return false;
	}
	return true;
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static bool ends_in_word(const char *text, const char *word)
{
	size_t n = strlen(text), m = strlen(word);

	return n > m && text[n - m - 1] == '_' &&
	       strcmp(text + n - m, word) == 0;
}

static const char *unit_of(const struct relay_metric_def *def)
{
	return def->unit ? def->unit : "";
}

static int64_t scale_of(const struct relay_metric_def *def)
{
	return def->scale ? def->scale : 1;
}

int shape_check_values(const char *const *values, struct relay_err *err)
{
	for (size_t n = 0; values[n]; n++) {
		if (n == SHAPE_VALUES_MAX)
			return relay_fail(err,
				"its label has more than %d values",
				SHAPE_VALUES_MAX);
		if (!values[n][0] || !is_printable(values[n]))
			return relay_fail(err, "a value of its label is empty, "
					       "or not printable ASCII");
		for (size_t i = 0; i < n; i++) {
			if (strcmp(values[i], values[n]) == 0)
				return relay_fail(err,
					"its label has \"%s\" twice",
					values[n]);
		}
	}
	return 0;
}

static int check_label(
	const struct relay_metric_def *def, struct relay_err *err)
{
	if (!def->label)
		return def->values
			       ? relay_fail(err, "it has values, but no label")
			       : 0;
	if (!is_name(def->label))
		return relay_fail(err, "its label must be" NAME_FORM);
	if (!def->values || !def->values[0])
		return relay_fail(err, "it has a label, but no values for it");
	return shape_check_values(def->values, err);
}

static int check_bounds(
	const struct relay_metric_def *def, struct relay_err *err)
{
	size_t n = 0;

	if (def->kind != RELAY_HISTOGRAM)
		return def->bounds
			       ? relay_fail(err,
					 "it has bounds, but is no histogram")
			       : 0;
	if (def->read)
		return relay_fail(
			err, "a histogram cannot have a read function");
	if (!def->bounds || !def->bounds[0])
		return relay_fail(err, "it is a histogram, and needs bounds");
	for (; def->bounds[n]; n++) {
		if (n == SHAPE_BOUNDS_MAX)
			return relay_fail(err, "it has more than %d bounds",
				SHAPE_BOUNDS_MAX);
		if (n && def->bounds[n] <= def->bounds[n - 1])
			return relay_fail(err,
				"its bounds must rise, but %" PRId64
				" is not above %" PRId64,
				def->bounds[n], def->bounds[n - 1]);
	}
	return 0;
}

int shape_check(const struct relay_metric_def *def, struct relay_err *err)
{
	if (!is_name(def->name))
		return relay_fail(err, "its name must be" NAME_FORM);
	if (ends_in_word(def->name, "total"))
		return relay_fail(err,
			"its name must not end in _total, which exporters add");
	if (*unit_of(def) && !is_name(def->unit))
		return relay_fail(err, "its unit must be" NAME_FORM);
	if (*unit_of(def) && ends_in_word(def->name, def->unit))
		return relay_fail(err, "its name must not end in its unit, "
				       "which exporters add");
	if (!def->help || !*def->help || !is_printable(def->help))
		return relay_fail(err,
			"it needs a help text: one line of printable ASCII");
	if ((unsigned)def->kind > RELAY_HISTOGRAM)
		return relay_fail(err, "this server does not know its kind, %d",
			(int)def->kind);
	if (def->scale < 0)
		return relay_fail(err, "its scale must not be negative");
	return check_label(def, err) || check_bounds(def, err) ? -1 : 0;
}

static unsigned count_bounds(const struct relay_metric_def *def)
{
	unsigned n = 0;

	while (def->bounds && def->bounds[n])
		n++;
	return n;
}

unsigned shape_width(const struct relay_metric_def *def)
{
	/* One more for observations above all bounds, and one for the sum. */
	return def->kind == RELAY_HISTOGRAM ? count_bounds(def) + 2 : 1;
}

unsigned shape_values(const struct relay_metric_def *def)
{
	unsigned n = 0;

	if (!def->label)
		return 1;
	while (def->values[n])
		n++;
	return n;
}

static bool same_values(
	const struct relay_metric_def *a, const struct relay_metric_def *b)
{
	if (!a->label || !b->label)
		return a->label == b->label;
	if (strcmp(a->label, b->label))
		return false;
	if (a->read)
		return true;
	if (shape_values(a) != shape_values(b))
		return false;
	for (unsigned i = 0; a->values[i]; i++) {
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	}
	return true;
}

bool shape_equal(
	const struct relay_metric_def *a, const struct relay_metric_def *b)
{
	unsigned n = count_bounds(a);

	if (a->kind != b->kind || strcmp(unit_of(a), unit_of(b)) ||
		scale_of(a) != scale_of(b) || !a->read != !b->read)
		return false;
	if (n != count_bounds(b) ||
		(n && memcmp(a->bounds, b->bounds, n * sizeof(*a->bounds))))
		return false;
	return same_values(a, b);
}

static char *copy_text(const char *text, bool *failed)
{
	char *copy = strdup(text);

	if (!copy)
		*failed = true;
	return copy;
}

static const char *const *copy_values(const char *const *values, bool *failed)
{
	size_t n = 0;
	const char **copy;

	while (values[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));

	if (!copy) {
		*failed = true;
		return NULL;
	}
	for (size_t i = 0; i < n && !*failed; i++)
		copy[i] = copy_text(values[i], failed);
	return copy;
}

static const int64_t *copy_bounds(
	const struct relay_metric_def *def, bool *failed)
{
	size_t len = (count_bounds(def) + 1) * sizeof(*def->bounds);
	int64_t *copy = malloc(len);

	if (!copy)
		*failed = true;
	else
		memcpy(copy, def->bounds, len);
	return copy;
}

int shape_copy(struct relay_metric_def *to, const struct relay_metric_def *from)
{
	bool failed = false;

	*to = (struct relay_metric_def){
		.kind = from->kind,
		.scale = scale_of(from),
		.name = copy_text(from->name, &failed),
		.unit = copy_text(unit_of(from), &failed),
		.help = copy_text(from->help, &failed),
	};
	if (from->label) {
		to->label = copy_text(from->label, &failed);
		to->values = copy_values(from->values, &failed);
	}
	if (from->bounds)
		to->bounds = copy_bounds(from, &failed);
	if (!failed)
		return 0;
	shape_finish(to);
	return -1;
}

/* The members are const for readers, but the copies are owned by this file. */
static void free_copy(const void *copy)
{
	free((void *)(uintptr_t)copy);
}

void shape_free_values(const char *const *values)
{
	for (size_t i = 0; values && values[i]; i++)
		free_copy(values[i]);
	free_copy(values);
}

const char *const *shape_copy_values(const char *const *values)
{
	bool failed = false;
	const char *const *copy = copy_values(values, &failed);

	if (!failed)
		return copy;
	shape_free_values(copy);
	return NULL;
}

void shape_finish(struct relay_metric_def *def)
{
	free_copy(def->name);
	free_copy(def->unit);
	free_copy(def->help);
	free_copy(def->label);
	shape_free_values(def->values);
	free_copy(def->bounds);
	memset(def, 0, sizeof(*def));
}
