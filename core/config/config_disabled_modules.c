/* SPDX-License-Identifier: MPL-2.0 */

/* Options of modules that do not run. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_disabled_modules.h"
#include "config/config_report.h"
#include "config/config_section.h"
#include "config/flags.h"
#include "config/options.h"

/* The options of one idle module that would have an effect. */
struct idle {
	char flags[256]; /* "-nat, -nat-lease"; "" for none */
	size_t flag_count;
	const char *origin;  /* of an option in a file; borrowed; NULL: none */
	char guard[128];     /* an option that protects; "": none */
	const char *guarded; /* its origin, borrowed */
};

static bool is_enabled(const struct config_section *core, const char *module)
{
	const char *const *names =
		((const struct core_conf *)core->values)->modules;

	for (; *names; names++)
		if (strcmp(*names, module) == 0)
			return true;
	return false;
}

/* Whether the option protects the relay with this value.  `asks`: the value is
 * not zero, false or empty.  It protects if this differs from the default. */
static bool protects(const struct relay_option *option, bool asks)
{
	bool by_default = false;

	if (!(option->flags & (RELAY_OPTION_GUARD | RELAY_OPTION_FILLED)))
		return false;
	(void)option_check(option, option->def ? option->def : "",
		OPTION_FROM_TABLE, &by_default, NULL);
	return asks != by_default;
}

/* A flag with an empty value asks for nothing, as in the Go server. */
static void look_at_flag(const struct flag_value *flag, struct idle *out)
{
	size_t len = strlen(out->flags);
	bool asks = true;

	if (option_check(flag->option, flag->text, OPTION_FROM_FLAG, &asks,
		    NULL) == 0 &&
		!asks)
		return;
	(void)snprintf(out->flags + len, sizeof(out->flags) - len, "%s%s",
		out->flag_count++ ? ", " : "", flag->as_given);
	if (!protects(flag->option, asks))
		return;
	(void)snprintf(out->guard, sizeof(out->guard), "%s", flag->as_given);
	out->guarded = "command line";
}

static bool is_empty(const struct relay_value *value)
{
	if (value->option->type == RELAY_LIST)
		return !value->list[0];
	if (value->option->type == RELAY_STRING)
		return !*value->string;
	return value->number == 0;
}

static bool is_from_file(const char *origin)
{
	return origin && strncmp(origin, "flag ", 5) != 0;
}

/* Whether a file sets any option of the section.  Checked first, since for most
 * modules that do not run no file does. */
static bool has_options(const struct config_section *section)
{
	for (size_t i = 0; i < section->count; i++)
		if (is_from_file(section->origins[i]))
			return true;
	return false;
}

/* An option that has its default is ignored, since the sample file lists every
 * option. */
static void look_at_option(const struct config_section *section, size_t i,
	const void *defaults, struct idle *out)
{
	const struct relay_option *option = &section->options[i];
	const char *origin = section->origins[i];
	struct relay_value value, by_default;

	if (!is_from_file(origin) || option->successor)
		return;
	option_read(option, section->values, &value);
	option_read(option, defaults, &by_default);
	if (option_same(&value, &by_default))
		return;
	out->origin = origin;
	if (!protects(option, !is_empty(&value)))
		return;
	(void)snprintf(out->guard, sizeof(out->guard), "%s.%s", section->name,
		option->name);
	out->guarded = origin;
}

/* 0, or -1 without memory. */
static int look_at_options(
	const struct config_section *section, struct idle *out)
{
	void *defaults;

	if (!has_options(section))
		return 0;
	defaults = calloc(1, section->conf_size + 1);
	if (!defaults ||
		options_defaults(section->options, defaults, NULL) != 0) {
		free(defaults);
		return -1;
	}
	for (size_t i = 0; i < section->count; i++)
		look_at_option(section, i, defaults, out);
	options_clear(section->options, defaults);
	free(defaults);
	return 0;
}

static void tell_idle(const struct idle *idle, const char *module,
	const char *modules_origin, struct config_report *to)
{
	if (*idle->guard) {
		config_report(to, RELAY_ERROR,
			"%s: %s is to protect the relay, but the module %s "
			"does not run; add %s to `modules` (%s), or leave the "
			"option out",
			idle->guarded, idle->guard, module, module,
			modules_origin);
		return;
	}
	if (idle->flag_count)
		config_report(to, RELAY_WARNING,
			"%s %s no effect: the module %s does not run; add %s "
			"to `modules` (%s)",
			idle->flags, idle->flag_count > 1 ? "have" : "has",
			module, module, modules_origin);
	if (idle->origin)
		config_report(to, RELAY_WARNING,
			"%s: section %s has no effect: the module %s does not "
			"run; add %s to `modules` (%s)",
			idle->origin, module, module, module, modules_origin);
}

static const char *origin_of_modules(const struct config_section *core)
{
	const struct relay_option *modules =
		options_find(core->options, "modules");
	const char *origin =
		modules ? core->origins[modules - core->options] : NULL;

	return origin ? origin : "default";
}

void config_report_disabled(const struct config_section *sections, size_t count,
	const struct flags *flags, struct config_report *to)
{
	const char *origin = origin_of_modules(&sections[0]);

	for (size_t i = 1; i < count; i++) {
		const struct config_section *section = &sections[i];
		struct idle idle = {.origin = NULL};

		if (section->listener ||
			is_enabled(&sections[0], section->name))
			continue;
		if (section->unchecked)
			config_report(to, RELAY_ERROR,
				"section %s: the module %s does not run and "
				"cannot be opened, so it is unknown whether "
				"the section protects the relay; repair the "
				"module's file, or remove the section",
				section->name, section->name);
		if (look_at_options(section, &idle) != 0) {
			config_report(to, RELAY_ERROR, "out of memory");
			return;
		}
		for (size_t f = 0; flags && f < flags->count; f++)
			if (flags->values[f].section &&
				strcmp(flags->values[f].section,
					section->name) == 0)
				look_at_flag(&flags->values[f], &idle);
		tell_idle(&idle, section->name, origin, to);
	}
}
