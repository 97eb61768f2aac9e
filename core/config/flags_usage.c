/* SPDX-License-Identifier: MPL-2.0 */

/* Prints the text of -help in the format of Go's flag package. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "base/suggest.h"
#include "config/config_listeners.h"
#include "config/flag_table.h"
#include "config/flags.h"
#include "config/options.h"
#include "config/print_argument.h"

#define NS_PER_MS  1000000
#define EXIT_USAGE 2

#define BASICS "basics"
#define SERVER "server"

static const char *type_word(const struct relay_option *option)
{
	switch (option->type) {
	case RELAY_BOOL:
		return "";
	case RELAY_INT:
	case RELAY_SIZE:
	case RELAY_RATE:
		return " int";
	case RELAY_DURATION:
		return option->flag_unit ? " int" : " duration";
	default:
		return " string";
	}
}

static void print_duration(const struct relay_option *option, FILE *out)
{
	struct relay_option row = *option;
	char text[OPTION_NUMBER_TEXT], unit[16];
	int64_t ms = 0, unit_ns = 0;

	row.offset = 0;
	if (option_parse(&row, option->def, OPTION_FROM_TABLE, &ms, NULL))
		return;
	option_format_number(option, ms, text);
	if (option->flag_unit) {
		(void)snprintf(unit, sizeof(unit), "1%s", option->flag_unit);
		if (relay_duration_parse(unit, &unit_ns, NULL) == 0 &&
			unit_ns >= NS_PER_MS)
			(void)snprintf(text, sizeof(text), "%" PRId64,
				ms / (unit_ns / NS_PER_MS));
	}
	(void)fprintf(out, " (default %s)", text);
}

/* Go does not print a default that is the type's zero value. */
static void print_default(const struct relay_option *option, FILE *out)
{
	bool asks = false;

	if (!option->def ||
		option_check(
			option, option->def, OPTION_FROM_TABLE, &asks, NULL) ||
		(!asks && option->type != RELAY_CHOICE))
		return;
	switch (option->type) {
	case RELAY_BOOL:
		(void)fputs(" (default true)", out);
		break;
	case RELAY_INT:
	case RELAY_SIZE:
	case RELAY_RATE:
		(void)fprintf(out, " (default %s)", option->def);
		break;
	case RELAY_DURATION:
		print_duration(option, out);
		break;
	default:
		(void)fprintf(out, " (default \"%s\")", option->def);
		break;
	}
}

static void print_flag(const struct flag *flag, FILE *out)
{
	const struct relay_option *option = flag->option;

	(void)fprintf(out, "  -%s%s\n    \t", flag->name, type_word(option));
	if (flag->deprecated) {
		(void)fprintf(out, "deprecated: use -%s%s%s\n",
			option->flag ? "" : flag->section,
			option->flag ? "" : ".",
			option->flag ? option->flag : option->name);
		return;
	}
	if (flag->long_form && option->flag) {
		(void)fprintf(out, "same as -%s\n", option->flag);
		return;
	}
	(void)fputs(option->help ? option->help : "", out);
	if (flag->reserved)
		(void)fprintf(out, " (needs module %s, which is not installed)",
			flag->reserved->module);
	print_default(option, out);
	(void)fputc('\n', out);
}

/* The groups. */

static bool is_basic(const struct flag *flag)
{
	return flag->option->flags & RELAY_OPTION_BASIC && !flag->long_form &&
	       !flag->deprecated;
}

const char *flags_topic(const struct flag *flag)
{
	if (is_basic(flag))
		return BASICS;
	if (flag->reserved)
		return flag->reserved->module;
	return flag->section ? flag->section : SERVER;
}

static int rank(const char *topic)
{
	return strcmp(topic, BASICS) == 0   ? 0
	       : strcmp(topic, SERVER) == 0 ? 1
					    : 2;
}

/* Basics first, then the server's, then by module; in each group the short
 * forms first. */
static int compare(const void *a, const void *b)
{
	const struct flag *left = a, *right = b;
	const char *here = flags_topic(left), *there = flags_topic(right);
	int order = rank(here) - rank(there);

	if (order == 0)
		order = strcmp(here, there);
	if (order == 0)
		order = left->long_form - right->long_form;
	return order ? order : strcmp(left->name, right->name);
}

static void print_heading(const char *topic, FILE *out)
{
	switch (rank(topic)) {
	case 0:
		(void)fputs("\nBasics:\n", out);
		break;
	case 1:
		(void)fputs("\nServer:\n", out);
		break;
	default:
		(void)fprintf(out, "\nModule %s:\n", topic);
	}
}

/* Only those of one topic; NULL: all.  Returns how many there are. */
static size_t print_flags(
	const struct flag_table *table, const char *topic, FILE *out)
{
	const char *group = "";
	size_t shown = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct flag *flag = &table->flags[i];
		const char *here = flags_topic(flag);

		if (strcmp(flag->name, "h") == 0 ||
			(topic && strcmp(here, topic) != 0))
			continue;
		if (strcmp(group, here) != 0)
			print_heading(here, out);
		group = here;
		print_flag(flag, out);
		shown++;
	}
	return shown;
}

static int print_all(const struct flag_table *table, FILE *out)
{
	(void)fputs("Usage of strelaysrv:\n", out);
	(void)print_flags(table, NULL, out);
	(void)fputs(
		"\n-help=" BASICS ", -help=" SERVER
		" and -help=MODULE show one group; -help=" CONFIG_LISTENER
		" shows the options of\nlisteners, which have no flags, but "
		"sections in the file of -conf.\n",
		out);
	return 0;
}

static const char *suggest_topic(const struct flag_table *table,
	const struct config_module *mods, size_t n, const char *topic)
{
	const char **names = calloc(table->count + n, sizeof(*names));
	const char *near;
	size_t count = 0;

	if (!names)
		return NULL;
	for (size_t i = 0; i < table->count; i++)
		names[count++] = flags_topic(&table->flags[i]);
	for (size_t i = 0; i < n; i++)
		names[count++] = mods[i].name;
	near = suggest_nearest(topic, names, count);
	free(names);
	return near;
}

static int print_listener(FILE *out)
{
	(void)fputs("An address to listen on may have a section in the file of "
		    "-conf:\n\n" CONFIG_LISTENER " \"NAME\" {\n",
		out);
	for (const struct relay_option *o = listener_options; o->name; o++)
		(void)fprintf(out, "  %s = %s\n    \t%s\n", o->name,
			o->type == RELAY_LIST ? "{}"
			: o->def && o->def[0] ? o->def
					      : "\"\"",
			o->help);
	(void)fputs("}\n", out);
	return 0;
}

static int print_topic(const struct flag_table *table,
	const struct config_module *mods, size_t n, const char *topic,
	const char *dirs, FILE *out)
{
	const char *near;

	if (strcmp(topic, CONFIG_LISTENER) == 0)
		return print_listener(out);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(mods[i].name, topic) != 0)
			continue;
		if (mods[i].opaque) {
			(void)fprintf(out,
				"the module %s cannot be used; -modules says "
				"why\n",
				topic);
			return EXIT_USAGE;
		}
		if (!mods[i].options || !mods[i].options->name) {
			(void)fprintf(
				out, "The module %s has no flags.\n", topic);
			return 0;
		}
	}
	if (print_flags(table, topic, out) > 0)
		return 0;
	near = suggest_topic(table, mods, n, topic);
	(void)fputs("there is no module ", out);
	print_quoted(topic, out);
	(void)fprintf(out, " in %s", dirs);
	if (near)
		(void)fprintf(out, "; did you mean -help=%s?", near);
	(void)fputs(
		"\n-modules lists all modules; -help shows all flags\n", out);
	return EXIT_USAGE;
}

int flags_usage(const struct config_module *mods, size_t n, const char *topic,
	const char *dirs, FILE *out)
{
	struct flag_table table;
	bool yes;
	int code;

	if (flag_table_make(mods, n, &table)) {
		(void)fputs("out of memory\n", out);
		return EXIT_FAILURE;
	}
	qsort(table.flags, table.count, sizeof(*table.flags), compare);
	/* The server in Go shows all whatever the value is. */
	if (!topic || !*topic || relay_bool_parse(topic, &yes, NULL) == 0)
		code = print_all(&table, out);
	else
		code = print_topic(&table, mods, n, topic, dirs, out);
	flag_table_free(&table);
	return code;
}
