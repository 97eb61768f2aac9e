/* SPDX-License-Identifier: MPL-2.0 */

/* Prints the text of -help in the format of Go's flag package. */

#include <inttypes.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "config/flag_table.h"
#include "config/flags.h"
#include "config/options.h"

#define NS_PER_MS 1000000

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

void flags_usage(const struct config_module *mods, size_t n, FILE *out)
{
	struct flag_table table;
	const char *section = "";

	(void)fputs("Usage of strelaysrv:\n", out);
	if (flag_table_make(mods, n, &table)) {
		(void)fputs("out of memory\n", out);
		return;
	}
	for (size_t i = 0; i < table.count; i++) {
		const struct flag *flag = &table.flags[i];

		if (flag->long_form && strcmp(section, flag->section) != 0) {
			section = flag->section;
			(void)fprintf(out, "\nModule %s:\n", section);
		}
		if (strcmp(flag->name, "h") != 0)
			print_flag(flag, out);
	}
	flag_table_free(&table);
}
