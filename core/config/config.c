/* SPDX-License-Identifier: MPL-2.0 */

/* Snapshots of the configuration: which source an option's value comes from. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/config_credentials.h"
#include "config/config_disabled_modules.h"
#include "config/config_listeners.h"
#include "config/config_report.h"
#include "config/config_section.h"
#include "config/flags.h"
#include "config/options.h"
#include "base/suggest.h"

struct config {
	struct config_section *sections; /* the first is the server's own */
	size_t count;
	atomic_uint more; /* references besides the first */
};

static struct config_section *find_section(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++) {
		struct config_section *section = &config->sections[i];

		if (!name ? !section->name
			  : section->name && strcmp(section->name, name) == 0)
			return section;
	}
	return NULL;
}

static const char *owner(const struct config_section *section)
{
	return section->name ? section->name : "core";
}

/* An option table must be unambiguous, since it defines what the file may
 * say. */
static bool check_table(
	const struct config_section *section, struct config_report *to)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct relay_option *option = &section->options[i];

		const char *fault = NULL;

		if (strcmp(option->name, "required") == 0 ||
			strcmp(option->name, "include") == 0)
			fault = "has a name that the server uses in all "
				"sections";
		else if (options_find(section->options, option->name) != option)
			fault = "is twice in its table";
		else if (option->type == RELAY_CHOICE && !option->choices)
			fault = "has the type choice, but no choices";
		if (fault) {
			config_report(to, RELAY_ERROR,
				"module %s: its option \"%s\" %s",
				owner(section), option->name, fault);
			return false;
		}
	}
	return true;
}

static bool check_module_name(const char *name, struct config_report *to)
{
	if (!options_find(core_options, name) && strcmp(name, "include") != 0 &&
		strcmp(name, CONFIG_LISTENER) != 0)
		return true;
	config_report(to, RELAY_ERROR,
		"a module cannot have the name \"%s\": it is an option", name);
	return false;
}

static void add_section(struct config *config, const char *name,
	const struct relay_option *options, size_t conf_size,
	struct config_report *to)
{
	struct config_section *section = &config->sections[config->count++];
	struct relay_err err;

	section->name = name;
	section->options = options;
	section->count = options_count(options);
	section->conf_size = conf_size;
	if (!check_table(section, to))
		section->options = NULL; /* invalid: nothing may read it */
	if (config_section_fill(section, &err) != 0)
		config_report(to, RELAY_ERROR, "module %s: %s", owner(section),
			err.text);
}

static void add_sections(struct config *config,
	const struct config_module *mods, size_t n, struct config_report *to)
{
	add_section(config, NULL, core_options, sizeof(struct core_conf), to);
	for (size_t i = 0; i < n; i++)
		if (check_module_name(mods[i].name, to) &&
			!find_section(config, mods[i].name)) {
			add_section(config, mods[i].name, mods[i].options,
				mods[i].conf_size, to);
			config->sections[config->count - 1].opaque =
				mods[i].opaque;
		}
	config_listeners_reserve(&config->sections[config->count]);
	config->count += CORE_LISTENERS_MAX;
}

static void tell_deprecated(
	const struct flag_value *flag, struct config_report *to)
{
	const struct relay_option *option = flag->option;

	if (option->flag)
		config_report(to, RELAY_WARNING, "%s is deprecated; use -%s",
			flag->as_given, option->flag);
	else
		config_report(to, RELAY_WARNING, "%s is deprecated; use -%s.%s",
			flag->as_given, flag->section, option->name);
}

static void apply_flag(struct config *config, const struct flag_value *flag,
	struct config_report *to)
{
	struct config_section *section = find_section(config, flag->section);
	const struct relay_option *option =
		section ? options_find(section->options, flag->option->name)
			: NULL;
	struct relay_err err;
	char **origin;

	if (!option) {
		config_report(to, RELAY_ERROR, "%s: there is no such option",
			flag->as_given);
		return;
	}
	if (flag->deprecated)
		tell_deprecated(flag, to);
	if (option_parse(option, flag->text, OPTION_FROM_FLAG, section->values,
		    &err)) {
		section->flawed = true;
		config_report(
			to, RELAY_ERROR, "%s: %s", flag->as_given, err.text);
		return;
	}
	origin = &section->origins[option - section->options];
	free(*origin);
	if (asprintf(origin, "flag %s", flag->as_given) < 0) {
		*origin = NULL;
		config_report(to, RELAY_ERROR, "out of memory");
	}
}

/* Suggests a similar name for an unknown module.  The loader refuses unknown
 * names later. */
static void hint_modules(const struct config *config, struct config_report *to)
{
	const struct core_conf *core = config_core(config);
	const char **names = calloc(config->count, sizeof(*names));
	struct relay_value value;
	size_t n = 0;

	if (!names || config_get(config, NULL, "modules", &value))
		core = NULL;
	for (size_t i = 1; core && i < config->count; i++)
		if (!config->sections[i].listener)
			names[n++] = config->sections[i].name;
	for (size_t i = 0; core && core->modules[i]; i++) {
		const char *near;

		if (find_section(config, core->modules[i]))
			continue;
		near = suggest_nearest(core->modules[i], names, n);
		if (near)
			config_report(to, RELAY_WARNING,
				"%s: modules names \"%s\"; did you mean "
				"\"%s\"?",
				value.origin, core->modules[i], near);
	}
	free(names);
}

struct config *config_examine(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg, bool *good)
{
	struct config_report to = {.fn = report, .arg = arg};
	struct config *config = calloc(1, sizeof(*config));

	if (config)
		config->sections = calloc(
			n + 1 + CORE_LISTENERS_MAX, sizeof(*config->sections));
	if (!config || !config->sections) {
		report(RELAY_ERROR, "out of memory", arg);
		free(config);
		return NULL;
	}
	add_sections(config, mods, n, &to);
	/* Reading the file with an invalid table would report errors where the
	 * file has none. */
	if (to.failed) {
		config_free(config);
		return NULL;
	}
	if (flags && flags->conf_before && flags->conf &&
		strcmp(flags->conf_before, flags->conf) != 0)
		config_report(&to, RELAY_WARNING,
			"-conf is given twice: %s is read, and %s is not; "
			"include(\"FILE\") in the first takes the second, too",
			flags->conf, flags->conf_before);
	if (file && config_file_read(
			    file, config->sections, config->count, report, arg))
		to.failed = true;
	for (size_t i = 0; flags && i < flags->count; i++)
		apply_flag(config, &flags->values[i], &to);
	config_take_credentials(&config->sections[0], &to);
	config_listeners_make(config->sections, config->count, &to);
	if (!to.failed)
		config_report_disabled(
			config->sections, config->count, flags, &to);
	hint_modules(config, &to);
	*good = !to.failed;
	return config;
}

struct config *config_load(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg)
{
	bool good = false;
	struct config *config =
		config_examine(file, flags, mods, n, report, arg, &good);

	if (good)
		return config;
	config_free(config);
	return NULL;
}

struct config *config_keep(struct config *config)
{
	atomic_fetch_add(&config->more, 1);
	return config;
}

void config_free(struct config *config)
{
	if (!config || atomic_fetch_sub(&config->more, 1) > 0)
		return;
	for (size_t i = 0; i < config->count; i++) {
		struct config_section *section = &config->sections[i];

		if (i == 0 && section->values)
			free(((struct core_conf *)section->values)->listeners);
		if (section->listener)
			config_listener_close(section);
		else
			config_section_empty(section);
	}
	free(config->sections);
	free(config);
}

const struct core_conf *config_core(const struct config *config)
{
	return config->sections[0].values;
}

const void *config_module_values(const struct config *config, const char *name)
{
	const struct config_section *section = find_section(config, name);

	return section && section->name ? section->values : NULL;
}

bool config_module_required(const struct config *config, const char *name)
{
	const struct config_section *section = find_section(config, name);

	return !section || section->required;
}

bool config_module_unchecked(const struct config *config, const char *name)
{
	const struct config_section *section = find_section(config, name);

	return section && section->unchecked;
}

bool config_module_flawed(const struct config *config, const char *name)
{
	const struct config_section *section = find_section(config, name);

	return section && section->flawed;
}

static void read_value(
	const struct config_section *section, size_t i, struct relay_value *out)
{
	option_read(&section->options[i], section->values, out);
	out->origin = section->origins[i] ? section->origins[i] : "default";
}

int config_get(const struct config *config, const char *section,
	const char *name, struct relay_value *out)
{
	const struct config_section *found = find_section(config, section);
	const struct relay_option *option =
		found ? options_find(found->options, name) : NULL;

	if (!option)
		return -1;
	option = options_current(found->options, option);
	read_value(found, (size_t)(option - found->options), out);
	return 0;
}

int config_hold(struct config *config, const struct config *as_in,
	const char *section, const char *name)
{
	struct config_section *to = find_section(config, section);
	const struct config_section *from = find_section(as_in, section);
	const struct relay_option *option =
		to ? options_find(to->options, name) : NULL;
	struct relay_value value;
	char **origin, *copy;

	if (!option || !from || config_get(as_in, section, name, &value) != 0)
		return -1;
	copy = strdup(value.origin);
	if (!copy || option_copy(option, from->values, to->values) != 0) {
		free(copy);
		return -1;
	}
	origin = &to->origins[option - to->options];
	free(*origin);
	*origin = copy;
	return 0;
}

static void visit_section(
	const struct config_section *section, config_visit_fn *visit, void *arg)
{
	for (size_t i = 0; i < section->count; i++) {
		struct relay_value value;

		if (section->options[i].successor)
			continue;
		read_value(section, i, &value);
		visit(section->name, &value, arg);
	}
}

void config_visit_section(const struct config *config, const char *name,
	config_visit_fn *visit, void *arg)
{
	const struct config_section *section = find_section(config, name);

	if (section)
		visit_section(section, visit, arg);
}

void config_visit(
	const struct config *config, config_visit_fn *visit, void *arg)
{
	for (size_t i = 0; i < config->count; i++)
		visit_section(&config->sections[i], visit, arg);
}
