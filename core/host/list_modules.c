/* SPDX-License-Identifier: MPL-2.0 */

/* What `strelaysrv -modules` prints. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "modules/catalog.h"
#include "config/config.h"
#include "host/list_modules.h"
#include "config/options.h"

static bool is_enabled(const struct config *config, const char *name)
{
	const char *const *names = config_core(config)->modules;

	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static int list_option(const char *section, const struct relay_option *option,
	const struct config *config, FILE *out)
{
	bool secret = option->flags & RELAY_OPTION_SECRET;
	struct relay_value value;
	char *text;
	int result;

	if (option->successor)
		return fprintf(out, "    %s\n        deprecated: write %s\n",
			       option->name, option->successor) < 0
			       ? -1
			       : 0;
	if (config_get(config, section, option->name, &value) != 0)
		return -1;
	text = secret ? strdup("(not shown)") : option_format(&value);
	if (!text)
		return -1;
	result = fprintf(out, "    %s = %s\n        %s (%s)\n", option->name,
		text[0] ? text : "\"\"", option->help ? option->help : "",
		value.origin);
	free(text);
	return result < 0 ? -1 : 0;
}

static int list_module(
	const struct relay_module *mod, const struct config *config, FILE *out)
{
	const struct relay_module_def *def = &mod->def;

	if (fprintf(out, "%s %s, API %d.%d, %s: %s\n    %s\n", def->name,
		    def->version, (int)def->abi_major, (int)def->abi_minor,
		    is_enabled(config, def->name) ? "enabled" : "not enabled",
		    def->summary, mod->path) < 0)
		return -1;
	for (const struct relay_option *o = def->options; o && o->name; o++)
		if (list_option(def->name, o, config, out))
			return -1;
	return 0;
}

static int list_broken(const struct broken_module *broken,
	const struct config *config, FILE *out)
{
	/* Without a path, the file is gone or is not broken any more. */
	if (!broken->path)
		return 0;
	return fprintf(out, "%s cannot be used, %s: %s\n    %s\n", broken->name,
		       is_enabled(config, broken->name) ? "enabled"
							: "not enabled",
		       broken->why, broken->path) < 0
		       ? -1
		       : 0;
}

static int list_missing(
	const struct catalog *catalog, const struct config *config, FILE *out)
{
	const char *const *names = config_core(config)->modules;
	struct relay_value modules, folders;

	/* The default modules are in no folder that somebody has named to look
	 * at his own. */
	if (config_get(config, NULL, "modules", &modules) == 0 &&
		config_get(config, NULL, "module-dir", &folders) == 0 &&
		strcmp(modules.origin, "default") == 0 &&
		strcmp(folders.origin, "default") != 0)
		return 0;
	for (; *names; names++)
		if (!catalog_find(catalog, *names) &&
			!catalog_broken(catalog, *names) &&
			fprintf(out,
				"%s is not there, enabled: no %s.so in %s\n",
				*names, *names, catalog->dirs) < 0)
			return -1;
	return 0;
}

int list_modules(
	const struct catalog *catalog, const struct config *config, FILE *out)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (list_module(catalog->mods[i], config, out))
			return -1;
	for (size_t i = 0; i < catalog->broken_count; i++)
		if (list_broken(&catalog->broken[i], config, out))
			return -1;
	if (list_missing(catalog, config, out))
		return -1;
	return fflush(out) == 0 ? 0 : -1;
}
