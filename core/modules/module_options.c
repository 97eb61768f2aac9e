/* SPDX-License-Identifier: MPL-2.0 */

/* Checks a module's table of options, so that later code can rely on it. */

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "modules/module.h"
#include "config/options.h"

/* Bounds the reading of a table whose RELAY_OPT_END is missing. */
#define OPTIONS_MAX 256

static size_t type_size(enum relay_option_type type)
{
	switch (type) {
	case RELAY_BOOL:
		return sizeof(bool);
	case RELAY_STRING:
	case RELAY_LIST:
		return sizeof(void *);
	case RELAY_INT:
	case RELAY_SIZE:
	case RELAY_RATE:
	case RELAY_DURATION:
	case RELAY_CHOICE:
		return sizeof(int64_t);
	}
	return 0;
}

/* On i386, numbers of 64 bits lie at multiples of 4 in a struct. */
static size_t type_alignment(enum relay_option_type type)
{
	struct number {
		char before;
		int64_t value;
	};
	size_t size = type_size(type);

	return size == sizeof(int64_t) ? offsetof(struct number, value) : size;
}

static int judge_place(const struct relay_option *option, size_t conf_size,
	struct relay_err *err)
{
	size_t size = type_size(option->type);

	if (size == 0)
		return relay_fail(err,
			"its option '%.60s' is of type %d, which "
			"does not exist",
			option->name, (int)option->type);
	if (option->offset % type_alignment(option->type) != 0 ||
		option->offset > conf_size || conf_size - option->offset < size)
		return relay_fail(err,
			"its option '%.60s' has the offset %zu and %zu bytes, "
			"which do not fit into its struct of %zu bytes",
			option->name, option->offset, size, conf_size);
	return 0;
}

static int judge_content(
	const struct relay_option *option, struct relay_err *err)
{
	struct relay_err why;

	if (!option->help || !*option->help || !option->def)
		return relay_fail(err, "its option '%.60s' lacks %s",
			option->name,
			option->def ? "a help text" : "a default");
	if (option->type == RELAY_CHOICE && !option->choices)
		return relay_fail(err,
			"its option '%.60s' has the type choice, but no "
			"choices",
			option->name);
	if (option_check(option, option->def, OPTION_FROM_TABLE, NULL, &why))
		return relay_fail(err,
			"the default of its option '%.60s': %.150s",
			option->name, why.text);
	return 0;
}

static int judge_name(
	const struct relay_option *options, size_t i, struct relay_err *err)
{
	if (!module_name_valid(options[i].name))
		return relay_fail(err,
			"its option '%.60s' is not named with a-z, 0-9 and "
			"'-', beginning with a letter",
			options[i].name);
	if (strcmp(options[i].name, "required") == 0 ||
		strcmp(options[i].name, "include") == 0)
		return relay_fail(err,
			"its option '%s' has a name that the server needs in "
			"every section",
			options[i].name);
	for (size_t j = 0; j < i; j++)
		if (strcmp(options[j].name, options[i].name) == 0)
			return relay_fail(err,
				"it has two options named '%.60s'",
				options[i].name);
	return 0;
}

/* A deprecated option must be only another name for its successor's field. */
static int judge_successor(const struct relay_option *options,
	const struct relay_option *option, struct relay_err *err)
{
	const struct relay_option *next;

	if (!option->successor)
		return 0;
	next = options_find(options, option->successor);
	if (!next || next->successor)
		return relay_fail(err,
			"the successor '%.60s' of its option '%.60s' is %s",
			option->successor, option->name,
			next ? "deprecated itself" : "no option of it");
	if (next->type != option->type || next->offset != option->offset)
		return relay_fail(err,
			"its option '%.60s' and the successor '%.60s' are not "
			"of the same field and type",
			option->name, option->successor);
	return 0;
}

int module_judge_options(const struct relay_option *options, size_t conf_size,
	struct relay_err *err)
{
	if (!options)
		return 0;
	for (size_t i = 0; options[i].name; i++) {
		if (i == OPTIONS_MAX)
			return relay_fail(err,
				"its table of options has no RELAY_OPT_END");
		if (judge_name(options, i, err) ||
			judge_place(&options[i], conf_size, err) ||
			judge_content(&options[i], err) ||
			judge_successor(options, &options[i], err))
			return -1;
	}
	return 0;
}
