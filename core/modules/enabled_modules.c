/* SPDX-License-Identifier: MPL-2.0 */

/* Finds the modules that the configuration names. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/catalog.h"
#include "config/config.h"
#include "config/options.h"
#include "log/log.h"
#include "modules/enabled_modules.h"

/* A module that runs no longer needs its file. */
static bool usable(const struct relay_module *mod)
{
	return mod->present || mod->stage != MODULE_FOUND;
}

/* A reload finds the new modules of the same directories only. */
static const char *advice(
	const struct catalog *catalog, const struct config *config)
{
	struct relay_value dirs;
	const char *text = "";
	char *now;

	if (config_get(config, NULL, "module-dir", &dirs) != 0 ||
		!dirs.list[0] || strncmp(dirs.origin, "flag ", 5) == 0)
		return "";
	now = option_format(&dirs);
	if (now && strcmp(now, catalog->dirs) != 0)
		text = "; module-dir has changed since the start, which needs "
		       "a restart or an upgrade";
	free(now);
	return text;
}

static void missing(const struct catalog *catalog, const struct config *config,
	const char *name, enum relay_level level, const char *consequence)
{
	const struct broken_module *broken = catalog_broken(catalog, name);

	if (broken)
		log_core(level, "module %s cannot be used: %s: %s%s", name,
			broken->path, broken->why, consequence);
	else
		log_core(level, "module %s is not there: no %s.so in %s%s%s",
			name, name, catalog->dirs, advice(catalog, config),
			consequence);
}

static bool named_before(const char *const *names, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(names[j], names[i]) == 0)
			return true;
	return false;
}

/*
 * 0 or -1.  A missing module that is not required is skipped, unless its
 * section has options: these may protect the relay.
 */
static int go_without(const struct catalog *catalog,
	const struct config *config, const char *name)
{
	bool unchecked = config_module_unchecked(config, name);
	bool required = config_module_required(config, name);

	missing(catalog, config, name,
		required || unchecked ? RELAY_ERROR : RELAY_WARNING,
		required    ? ""
		: unchecked ? "; it is not required, but its section may "
			      "protect the relay"
			    : "; it is not required, so the server goes on "
			      "without it");
	return required || unchecked ? -1 : 0;
}

static int select_one(const struct catalog *catalog,
	const struct config *config, const char *name, struct module_list *out)
{
	struct relay_module *mod = catalog_find(catalog, name);

	if (!mod || !usable(mod))
		return go_without(catalog, config, name);
	if (out->count == MODULES_MAX) {
		log_core(RELAY_ERROR, "modules names more than %d modules",
			MODULES_MAX);
		return -1;
	}
	mod->required = config_module_required(config, name);
	module_list_add(out, mod);
	return 0;
}

int enabled_modules_find(const struct catalog *catalog,
	const struct config *config, struct module_list *out)
{
	const char *const *names = config_core(config)->modules;
	int result = 0;

	out->count = 0;
	for (size_t i = 0; names[i]; i++) {
		if (named_before(names, i)) {
			log_core(RELAY_ERROR,
				"the option modules names %s twice: leave "
				"one out",
				names[i]);
			result = -1;
		} else if (select_one(catalog, config, names[i], out)) {
			result = -1;
		}
	}
	return result;
}
