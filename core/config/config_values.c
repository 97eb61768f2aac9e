/* SPDX-License-Identifier: MPL-2.0 */

/* Takes values from libconfuse, with the place where each was found. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "config/config_listeners.h"
#include "config/config_reader.h"
#include "config/config_variables.h"
#include "config/options.h"
#include "config/value_text.h"

/* "option x", or "option x of section y". */
static const char *call_option(
	const struct config_section *section, const char *name, char out[160])
{
	if (section->name)
		(void)snprintf(out, 160, "option %.64s of section %.64s", name,
			section->name);
	else
		(void)snprintf(out, 160, "option %.64s", name);
	return out;
}

/* Stores where an option's value came from.  Warns if it was set before, or if
 * the name is deprecated. */
static void note_origin(struct config_section *section,
	const struct relay_option *option, const char *written, unsigned line)
{
	char **origin = &section->origins[option - section->options];
	char called[160];

	if (strcmp(option->name, written) != 0)
		config_problem(RELAY_WARNING, line,
			"%s is deprecated; write %s",
			call_option(section, written, called), option->name);
	if (*origin)
		config_problem(RELAY_WARNING, line,
			"%s was set before, in %s; this one counts",
			call_option(section, option->name, called), *origin);
	free(*origin);
	if (asprintf(origin, "%s:%u", config_reader->source->path, line) < 0) {
		*origin = NULL;
		config_reader->problems.no_memory = true;
	}
}

static void set_required(
	struct config_section *section, const char *text, unsigned line)
{
	struct relay_err err;

	if (relay_bool_parse(text, &section->required, &err))
		config_problem(RELAY_ERROR, line,
			"option required of section %s: %s", section->name,
			err.text);
}

static struct config_growing *list_of(
	const struct config_section *section, const struct relay_option *option)
{
	return &config_reader->lists[section - config_reader->sections]
				    [option - section->options];
}

static void list_clear(struct config_growing *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_growing){0};
}

static void list_begin(struct config_section *section,
	const struct relay_option *option, const char *written, unsigned line)
{
	struct config_growing *list = list_of(section, option);

	note_origin(section, option, written, line);
	list_clear(list);
	list->given = true;
	list->source = config_reader->source;
	list->line = line;
}

/* Takes ownership of item. */
static void list_push(struct config_growing *list, char *item)
{
	char **items =
		reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items) {
		config_reader->problems.no_memory = true;
		free(item);
		return;
	}
	list->items = items;
	items[list->count++] = item;
}

static void set_value(struct config_section *section,
	const struct relay_option *option, const char *written,
	const char *text, unsigned line)
{
	struct relay_err err;
	char called[160], *copy;

	note_origin(section, option, written, line);
	if (option_check(option, text, OPTION_FROM_FILE, NULL, &err) != 0) {
		section->flawed = true;
		config_problem(RELAY_ERROR, line, "%s: %s",
			call_option(section, written, called), err.text);
		return;
	}
	list_clear(list_of(section, option));
	list_of(section, option)->given = true;
	copy = strdup(text);
	if (copy)
		list_push(list_of(section, option), copy);
	else
		config_reader->problems.no_memory = true;
}

/* The file uses += before any =: the list starts with its default. */
static void list_begin_default(struct config_section *section,
	const struct relay_option *option, const char *written, unsigned line)
{
	struct relay_value value;

	list_begin(section, option, written, line);
	option_read(option, section->values, &value);
	for (size_t i = 0; value.list[i]; i++) {
		char *item = strdup(value.list[i]);

		if (item)
			list_push(list_of(section, option), item);
		else
			config_reader->problems.no_memory = true;
	}
}

/* Takes ownership of text. */
static void list_push_parts(struct config_growing *list, char *text)
{
	for (char *at = text, *end; *at; at = end + (*end == ',')) {
		size_t len;

		end = at + strcspn(at, ",");
		at += strspn(at, " \t");
		len = at < end ? (size_t)(end - at) : 0;
		while (len && strchr(" \t", at[len - 1]))
			len--;
		if (!len)
			continue;
		at = strndup(at, len);
		if (at)
			list_push(list, at);
		else
			config_reader->problems.no_memory = true;
	}
	free(text);
}

/* Flags separate words by commas, but the URLs and tokens of a module's list
 * may contain some. */
static void warn_of_comma(const struct config_section *section,
	const struct relay_option *option, const char *item, unsigned line)
{
	char called[160];

	if (strchr(item, ',') && !strstr(item, "://") &&
		!(option->flags & RELAY_OPTION_SECRET))
		config_problem(RELAY_WARNING, line,
			"%s: a text with a comma is one word of the list; "
			"write { \"A\", \"B\" } for two",
			call_option(section, option->name, called));
}

/* Called after each item and at the closing brace.  Takes each item away from
 * libconfuse, so that it is added only once. */
static void grow_list(struct config_section *section,
	const struct relay_option *option, cfg_opt_t *opt, unsigned line)
{
	cfg_value_t *value = opt->values[opt->nvalues - 1];
	char *item = value->string, called[160];
	struct relay_err err;

	if (!item)
		return;
	value->string = NULL;
	(void)config_variables_drop(item);
	if (opt->nvalues == 1)
		list_begin(section, option, opt->name, line);
	else if (!list_of(section, option)->given)
		list_begin_default(section, option, opt->name, line);
	if (value_in_file_check(item, &err) != 0)
		config_problem(RELAY_ERROR, line, "%s: %s",
			call_option(section, opt->name, called), err.text);
	/* x = "" means the same as x = {} and as -x="", and x = "a, b" of the
	 * core the same as -x="a, b". */
	if (!section->name || section->listener) {
		list_push_parts(list_of(section, option), item);
		return;
	}
	warn_of_comma(section, option, item, line);
	if (*item)
		list_push(list_of(section, option), item);
	else
		free(item);
}

/* Without a value nothing would protect the relay. */
static bool is_open_if_empty(const struct relay_option *option)
{
	return option && option->type == RELAY_STRING &&
	       option->flags & RELAY_OPTION_GUARD &&
	       !(option->def && *option->def);
}

static void take_text(struct config_section *section,
	const struct relay_option *option, const char *written, char *text,
	unsigned line)
{
	bool dropped = config_variables_drop(text);
	struct relay_err err;
	char called[160];

	(void)call_option(section, written, called);
	if (value_in_file_check(text, &err) != 0)
		config_problem(RELAY_ERROR, line, "%s: %s", called, err.text);
	else if (dropped && !*text && is_open_if_empty(option))
		config_problem(RELAY_ERROR, line,
			"%s: its variable is empty or not set, and so is the "
			"default, which would protect nothing; if that is "
			"meant, write %s = \"\"",
			called, written);
	else if (option)
		set_value(section, option, written, text, line);
	else
		set_required(section, text, line);
}

int config_on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_section *section;
	const struct relay_option *option;
	char *text;

	if (!opt->nvalues)
		return 0;
	text = opt->values[opt->nvalues - 1]->string;
	/* libconfuse is setting the default, maybe before there is a root. */
	if (opt->flags & CFGF_LIST && text && opt->nvalues == 1 &&
		strcmp(text, CONFIG_UNTOUCHED) == 0) {
		free(opt->values[0]->string);
		opt->values[0]->string = NULL;
		return 0;
	}
	if (!config_reader->root)
		return 0;
	section = config_section_of(cfg);
	if (!section)
		return 0;
	option = options_find(section->options, opt->name);
	if (option)
		option = options_current(section->options, option);
	if (option && option->type == RELAY_LIST)
		grow_list(section, option, opt, config_line(cfg));
	else
		take_text(section, option, opt->name, text, config_line(cfg));
	return 0;
}

void config_find_empty_lists(
	cfg_t *cfg, struct config_section *section, unsigned line)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct relay_option *option = &section->options[i];
		struct config_source *source = config_reader->source;
		unsigned at = 0;

		if (option->type != RELAY_LIST || cfg_size(cfg, option->name))
			continue;
		for (size_t s = config_reader->sources.count; s-- > 0 && !at;) {
			config_reader->source =
				&config_reader->sources.items[s];
			at = config_text_empty_list(
				config_reader->source->text, option->name);
		}
		if (!at)
			config_reader->source = source;
		list_begin(section, options_current(section->options, option),
			option->name, at ? at : line);
		config_reader->source = source;
	}
}

int config_on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *inner = cfg_opt_getnsec(opt, opt->nvalues - 1);
	struct config_section *section = config_section_of(inner);

	if (section)
		config_find_empty_lists(inner, section, config_line(cfg));
	if (section && section->listener)
		config_listener_judge(section, config_line(cfg));
	return 0;
}

void config_values_forget(void)
{
	for (size_t i = 0; i < config_reader->count; i++) {
		struct config_section *section = &config_reader->sections[i];

		section->required = true;
		for (size_t o = 0; o < section->count; o++) {
			free(section->origins[o]);
			section->origins[o] = NULL;
			list_clear(&config_reader->lists[i][o]);
		}
		if (section->listener)
			config_listener_close(section);
	}
}

static void judge_list(struct config_section *section,
	const struct relay_option *option, struct config_growing *list)
{
	struct config_problem at = {.source = list->source,
		.line = list->line,
		.level = RELAY_ERROR};
	struct relay_err err;
	char called[160];

	if (option_parse_items(option, (const char *const *)list->items,
		    list->count, section->values, &err) == 0)
		return;
	list->given = false;
	section->flawed = true;
	config_problems_add(&config_reader->problems, &at, "%s: %s",
		call_option(section, option->name, called), err.text);
}

void config_lists_judge(void)
{
	for (size_t i = 0; i < config_reader->count; i++) {
		struct config_section *section = &config_reader->sections[i];

		for (size_t o = 0; o < section->count; o++) {
			struct config_growing *list =
				&config_reader->lists[i][o];

			if (section->options[o].type == RELAY_LIST &&
				list->given)
				judge_list(section, &section->options[o], list);
		}
	}
}

void config_values_hand_over(struct config_serializer *out)
{
	static char *const none[] = {NULL};

	for (size_t i = 0; i < config_reader->count; i++) {
		const struct config_section *section =
			&config_reader->sections[i];

		if (section->listener && !section->title)
			continue;
		config_serialize_section(out, i, section);
		for (size_t o = 0; o < section->count; o++) {
			const struct config_growing *list =
				&config_reader->lists[i][o];
			char *const *items = list->items ? list->items : none;

			if (section->origins[o])
				config_serialize_value(out, i, o,
					section->origins[o],
					list->given ? items : NULL,
					list->count);
		}
	}
}

int config_lists_make(void)
{
	config_reader->lists =
		calloc(config_reader->count, sizeof(*config_reader->lists));
	for (size_t i = 0; config_reader->lists && i < config_reader->count;
		i++) {
		config_reader->lists[i] = calloc(
			config_section_room(&config_reader->sections[i]) + 1,
			sizeof(**config_reader->lists));
		if (!config_reader->lists[i])
			return -1;
	}
	return config_reader->lists ? 0 : -1;
}
