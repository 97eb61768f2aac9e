/* SPDX-License-Identifier: MPL-2.0 */

/* Searches for names of modules in a configuration that is not parsed yet. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/file.h>

#include "modules/catalog.h"
#include "config/config.h"
#include "config/config_source.h"
#include "config/options.h"
#include "modules/preload.h"

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (text += strcspn(text, WORD); *text; text += strcspn(text, WORD)) {
		size_t here = strspn(text, WORD);

		if (here == len && memcmp(text, word, len) == 0)
			return true;
		text += here;
	}
	return false;
}

char *preload_read(const char *conf)
{
	struct relay_file file;

	if (relay_file_read(conf, CONFIG_FILE_MAX, &file, NULL) == 0)
		return file.text;
	relay_file_free(&file);
	return NULL;
}

static void ignore(enum relay_level level, const char *text, void *arg)
{
	(void)level;
	(void)text;
	(void)arg;
}

char *preload_module_dir(const char *conf)
{
	char *text = preload_read(conf), *dirs = NULL;
	struct relay_value value;
	struct config *config;
	bool good, may_set;

	may_set = text &&
		  (has_word(text, "module-dir") || has_word(text, "include"));
	free(text);
	if (!may_set)
		return NULL;
	/* The sections of modules are unknown yet, which does not matter for
	 * what is outside of them. */
	config = config_examine(conf, NULL, NULL, 0, ignore, NULL, &good);
	if (config && config_core(config)->module_dir[0] &&
		config_get(config, NULL, "module-dir", &value) == 0)
		dirs = option_format(&value);
	config_free(config);
	return dirs;
}

/* Whether all names of modules are in this text, written literally. */
static bool is_plain(const char *text)
{
	return !strpbrk(text, "$\\") && !has_word(text, "include");
}

static void want_named(struct catalog *catalog, const char *text)
{
	for (size_t i = 0; i < catalog->unopened_count; i++) {
		const char *name = catalog->unopened[i].name;

		if (has_word(text, name))
			(void)catalog_want(catalog, name);
	}
}

void preload_want_default(struct catalog *catalog)
{
	want_named(catalog, options_find(core_options, "modules")->def);
}

void preload_want(struct catalog *catalog, const char *text)
{
	if (!text || !is_plain(text)) {
		(void)catalog_want_all(catalog);
		return;
	}
	want_named(catalog, text);
	if (!has_word(text, "modules"))
		preload_want_default(catalog);
}

int preload_open(struct catalog *catalog, const char *conf)
{
	char *text;

	if (conf) {
		text = preload_read(conf);
		preload_want(catalog, text);
		free(text);
	} else {
		preload_want_default(catalog);
	}
	return catalog_open_now(catalog) < 0 ? -1 : 0;
}
