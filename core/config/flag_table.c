/* SPDX-License-Identifier: MPL-2.0 */

/* Collects the flags of all option tables. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/flag_table.h"
#include "config/options.h"
#include "base/suggest.h"

static const struct {
	enum flag_special special;
	struct relay_option option;
} specials[] = {
	{FLAG_CHECK, {.name = "check",
			     .type = RELAY_BOOL,
			     .flags = RELAY_OPTION_BASIC,
			     .help = "check the configuration and all else, "
				     "show it, and exit"}},
	{FLAG_CONF, {.name = "conf",
			    .type = RELAY_STRING,
			    .flags = RELAY_OPTION_BASIC,
			    .help = "configuration file; flags override it"}},
	{FLAG_CTL, {.name = "ctl",
			   .type = RELAY_BOOL,
			   .flags = RELAY_OPTION_BASIC,
			   .help = "give the command that follows to the "
				   "running server, such as help, and exit"}},
	{FLAG_DRAINING,
		{.name = "draining",
			.type = RELAY_BOOL,
			.help = "with -ctl: to the process that drains after "
				"an upgrade"}},
	{FLAG_HEALTH,
		{.name = "health",
			.type = RELAY_BOOL,
			.flags = RELAY_OPTION_BASIC,
			.help = "ask the running server of the same flags and "
				"configuration whether it is well, and exit "
				"with 0 or 1"}},
	{FLAG_HELP,
		{.name = "help",
			.type = RELAY_BOOL,
			.flags = RELAY_OPTION_BASIC,
			.help = "show this help, or with =MODULE that of one "
				"module, and exit"}},
	{FLAG_HELP, {.name = "h",
			    .type = RELAY_BOOL,
			    .flags = RELAY_OPTION_BASIC,
			    .help = "the same as -help"}},
	{FLAG_JSON, {.name = "json",
			    .type = RELAY_BOOL,
			    .help = "with -ctl: print the answer as JSON"}},
	{FLAG_MODULES, {.name = "modules",
			       .type = RELAY_BOOL,
			       .flags = RELAY_OPTION_BASIC,
			       .help = "list the modules found and their "
				       "options, and exit"}},
	{FLAG_VERSION, {.name = "version",
			       .type = RELAY_BOOL,
			       .flags = RELAY_OPTION_BASIC,
			       .help = "show the version and exit"}},
};

#define SPECIALS (sizeof(specials) / sizeof(specials[0]))

const struct flag *flag_table_find(
	const struct flag_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (strncmp(table->flags[i].name, name, len) == 0 &&
			!table->flags[i].name[len])
			return &table->flags[i];
	return NULL;
}

const struct flag *flag_table_of_section(
	const struct flag_table *table, const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; i < table->count; i++) {
		const char *section = table->flags[i].section;

		if (table->flags[i].long_form && name[len] == '.' &&
			strncmp(section, name, len) == 0 && !section[len])
			return &table->flags[i];
	}
	return NULL;
}

/* Takes ownership of name.  The first flag of a name wins: a module cannot
 * replace a flag of the server. */
static int add(struct flag_table *table, char *name, struct flag flag)
{
	if (!name)
		return -1;
	if (flag_table_find(table, name, strlen(name))) {
		free(name);
		return 0;
	}
	flag.name = name;
	table->flags[table->count++] = flag;
	return 0;
}

static size_t count_most(const struct config_module *mods, size_t n)
{
	size_t most = SPECIALS + RESERVED_FLAGS_MAX;

	for (const struct relay_option *o = core_options; o->name; o++)
		most++;
	for (size_t i = 0; i < n; i++)
		for (const struct relay_option *o = mods[i].options;
			o && o->name; o++)
			most += 2;
	return most;
}

static int add_module(struct flag_table *table, const struct config_module *mod)
{
	for (const struct relay_option *o = mod->options; o && o->name; o++) {
		struct flag flag = {.section = mod->name,
			.option = options_current(mod->options, o),
			.deprecated = o->successor != NULL};
		char *name;

		if (o->flag && add(table, strdup(o->flag), flag))
			return -1;
		if (asprintf(&name, "%s.%s", mod->name, o->name) < 0)
			return -1;
		flag.long_form = true;
		if (add(table, name, flag))
			return -1;
	}
	return 0;
}

static int add_all(
	struct flag_table *table, const struct config_module *mods, size_t n)
{
	for (size_t i = 0; i < SPECIALS; i++) {
		struct flag flag = {.special = specials[i].special,
			.option = &specials[i].option};

		if (add(table, strdup(specials[i].option.name), flag))
			return -1;
	}
	for (const struct relay_option *o = core_options; o->name; o++)
		if (o->flag &&
			add(table, strdup(o->flag),
				(struct flag){.option = options_current(
						      core_options, o),
					.deprecated = o->successor != NULL}))
			return -1;
	for (size_t i = 0; i < n; i++)
		if (add_module(table, &mods[i]))
			return -1;
	for (const struct reserved_flag *r = reserved_flags; r->module; r++) {
		struct flag flag = {.option = &r->option, .reserved = r};

		if (add(table, strdup(r->option.name), flag))
			return -1;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct flag *left = a, *right = b;

	if (left->long_form != right->long_form)
		return left->long_form ? 1 : -1;
	return strcmp(left->name, right->name);
}

int flag_table_make(
	const struct config_module *mods, size_t n, struct flag_table *out)
{
	*out = (struct flag_table){0};
	out->flags = calloc(count_most(mods, n), sizeof(*out->flags));
	if (!out->flags || add_all(out, mods, n)) {
		flag_table_free(out);
		return -1;
	}
	qsort(out->flags, out->count, sizeof(*out->flags), compare);
	return 0;
}

void flag_table_free(struct flag_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->flags[i].name);
	free(table->flags);
	*table = (struct flag_table){0};
}

static const struct flag *find_secret(
	const struct flag_table *table, const char *word)
{
	const struct flag *longest = NULL;
	size_t most = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct flag *flag = &table->flags[i];
		size_t len = strlen(flag->name);

		if (!flag->option ||
			!(flag->option->flags & RELAY_OPTION_SECRET) ||
			len <= most || strncmp(flag->name, word, len) != 0)
			continue;
		longest = flag;
		most = len;
	}
	return longest;
}

/* How much of a word is the beginning of such a flag's name, past the section
 * of a long one. */
static size_t abbreviation(const struct flag_table *table, const char *word)
{
	size_t most = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct flag *flag = &table->flags[i];
		const char *dot = strchr(flag->name, '.');
		size_t section = dot ? (size_t)(dot + 1 - flag->name) : 0, len;

		if (!flag->option ||
			!(flag->option->flags & RELAY_OPTION_SECRET))
			continue;
		for (len = 0; flag->name[len]; len++)
			if (tolower((unsigned char)word[len]) !=
				flag->name[len])
				break;
		if (len > section && len > most)
			most = len;
	}
	return most;
}

size_t flag_table_printable(const struct flag_table *table, const char *word,
	size_t len, const struct flag **secret)
{
	const struct flag *taker = find_secret(table, word);
	size_t end = strspn(word, FLAG_NAME_CHARACTERS), stem;
	const char *near;
	char *copy;

	if (secret)
		*secret = taker;
	if (end > len)
		end = len;
	stem = taker ? strlen(taker->name) : abbreviation(table, word);
	if (stem == 0 || stem >= end)
		return end;
	/* Another flag may be meant, whose name begins with this one's. */
	copy = strndup(word, end);
	near = copy ? flag_table_suggest(table, copy) : NULL;
	free(copy);
	if (near && (!taker || (strlen(near) > stem &&
				       strncmp(near, word, stem) == 0)))
		return end;
	return stem;
}

const char *flag_table_suggest(const struct flag_table *table, const char *name)
{
	const char **names = calloc(table->count, sizeof(*names));
	const char *near;
	size_t n = 0;

	if (!names)
		return NULL;
	for (size_t i = 0; i < table->count; i++)
		if (!table->flags[i].deprecated)
			names[n++] = table->flags[i].name;
	near = suggest_nearest(name, names, n);
	free(names);
	return near;
}
