/* SPDX-License-Identifier: MPL-2.0 */

/* Unknown words in the file, and suggestions of what was meant. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_listeners.h"
#include "config/config_reader.h"
#include "config/options.h"
#include "base/suggest.h"

static size_t collect_names(
	const struct config_section *section, const char **names)
{
	size_t n = 0;

	for (size_t i = 0; i < section->count; i++)
		if (!section->options[i].successor)
			names[n++] = section->options[i].name;
	if (section->name && !section->listener)
		names[n++] = "required";
	return n;
}

/* The most similar name that is allowed in the section. */
static const char *suggest_name(const struct config_section *section,
	enum config_text_use use, const char *word)
{
	size_t n = 0;
	const char **names, *near;

	names = calloc(
		section->count + config_reader->count + 3, sizeof(*names));
	if (!names)
		return NULL;
	if (use != CONFIG_TEXT_SECTION && use != CONFIG_TEXT_FUNCTION)
		n = collect_names(section, names);
	for (size_t i = 1;
		use == CONFIG_TEXT_SECTION && i < config_reader->count; i++)
		if (!config_reader->sections[i].listener)
			names[n++] = config_reader->sections[i].name;
	if (use == CONFIG_TEXT_SECTION)
		names[n++] = CONFIG_LISTENER;
	if (use == CONFIG_TEXT_FUNCTION)
		names[n++] = "include";
	near = suggest_nearest(word, names, n);
	free(names);
	return near;
}

/* Writes the names of the sections that have the option, as in "access or
 * relay".  The name of the top level is "".  Returns their number. */
static size_t find_homes(const char *name, char *out, size_t cap)
{
	size_t found = 0, len = 0;

	*out = '\0';
	for (size_t i = 0; i < config_reader->count && len < cap; i++) {
		const struct config_section *section =
			&config_reader->sections[i];

		if (!options_find(section->options, name))
			continue;
		if (section->name)
			len += (size_t)snprintf(out + len, cap - len, "%s%s",
				len ? " or " : "", section->name);
		found++;
	}
	return found;
}

/* An option by the name of its flag, such as global-rate or relay.token; NULL:
 * there is none. */
static const struct relay_option *find_by_flag(
	const char *flag, const struct config_section **section)
{
	for (size_t i = 0; i < config_reader->count; i++) {
		const struct relay_option *o =
			config_reader->sections[i].options;
		const char *name = config_reader->sections[i].name;
		size_t len = name ? strlen(name) : 0;
		const char *rest =
			len && strncmp(flag, name, len) == 0 && flag[len] == '.'
				? flag + len + 1
				: "";

		*section = &config_reader->sections[i];
		for (; o && o->name; o++)
			if ((o->flag && strcmp(o->flag, flag) == 0) ||
				strcmp(o->name, rest) == 0)
				return o;
	}
	return NULL;
}

static void hint_unknown(const struct config_section *section,
	enum config_text_use use, const char *word, char *out, size_t cap)
{
	const char *near = suggest_name(section, use, word);
	char homes[100];
	size_t found = find_homes(word, homes, sizeof(homes));
	const struct config_section *home = NULL;
	const struct relay_option *option = find_by_flag(word, &home);

	*out = '\0';
	if (use == CONFIG_TEXT_OPTION && *homes)
		(void)snprintf(out, cap, "; it belongs into section %s", homes);
	else if (use == CONFIG_TEXT_OPTION && found)
		(void)snprintf(out, cap,
			"; it belongs to the top level, outside of sections");
	else if (use == CONFIG_TEXT_OPTION && option && home->name)
		(void)snprintf(out, cap,
			"; it is the flag of the option %s in section %s: "
			"write %s { %s = ... }",
			option->name, home->name, home->name, option->name);
	else if (near)
		(void)snprintf(out, cap, "; did you mean \"%s\"?", near);
}

static void tell_unknown(const struct config_unknown *unknown,
	enum config_text_use use, size_t column)
{
	const struct config_section *section = unknown->section;
	struct config_problem at = {.source = config_reader->source,
		.line = unknown->line,
		.level = RELAY_ERROR,
		.lasting = true};
	char hint[160];

	hint_unknown(section, use, unknown->word, hint, sizeof(hint));
	/* The word is not printed, since it may be a part of a secret. */
	if (use == CONFIG_TEXT_STRAY)
		config_problems_add(&config_reader->problems, &at,
			"column %zu: the name of an option should begin here; "
			"text with spaces must be quoted",
			column);
	else if (use == CONFIG_TEXT_FUNCTION)
		config_problems_add(&config_reader->problems, &at,
			"there is no function \"%s\"%s", unknown->word, hint);
	else if (use == CONFIG_TEXT_SECTION && section->name)
		config_problems_add(&config_reader->problems, &at,
			"section %s cannot contain a section, but has \"%s\"",
			section->name, unknown->word);
	else if (use == CONFIG_TEXT_SECTION)
		config_problems_add(&config_reader->problems, &at,
			"section \"%s\" belongs to no module that is "
			"installed%s",
			unknown->word, hint);
	else if (section->name)
		config_problems_add(&config_reader->problems, &at,
			"section %s has no option \"%s\"%s", section->name,
			unknown->word, hint);
	else
		config_problems_add(&config_reader->problems, &at,
			"there is no option \"%s\"%s", unknown->word, hint);
}

bool config_unknown_take(void)
{
	struct config_unknown *unknown = &config_reader->unknown;
	enum config_text_use use = CONFIG_TEXT_STRAY;
	size_t column = 1;
	bool cut;

	if (!unknown->word)
		return false;
	unknown->section->flawed = !unknown->section->opaque;
	unknown->section->unchecked = unknown->section->opaque;
	cut = config_text_cut(config_reader->source->text, unknown->line,
		unknown->word, &use, &column);
	if (config_reader->problems.no_memory ||
		config_reader->problems.count > CONFIG_PROBLEMS_MAX)
		cut = false;
	if (cut)
		config_problems_rewind(&config_reader->problems);
	/* For an opaque section, it is unknown which options are valid. */
	if (!cut || !unknown->section->opaque)
		tell_unknown(unknown, use, column);
	free(unknown->word);
	unknown->word = NULL;
	return cut;
}
