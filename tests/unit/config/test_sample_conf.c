/* SPDX-License-Identifier: MPL-2.0 */

/* Tests that conf/strelaysrv.conf has every option with its default. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <glob.h>
#include <cmocka.h>

#include <strelaysrv/module.h>

#include "config/config.h"
#include "config/options.h"

#define MODULES_MAX 32

static struct config_module mods[MODULES_MAX];
static size_t mods_count;
static void *handles[MODULES_MAX];

/* Only the option tables are used, so symbols are bound lazily. */
static int open_modules(void **state)
{
	glob_t found;

	(void)state;
	if (glob(MODULE_DIR "/*.so", 0, NULL, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.gl_pathc && i < MODULES_MAX; i++) {
		void *handle = dlopen(found.gl_pathv[i], RTLD_LAZY);
		const struct relay_module_def *def =
			handle ? dlsym(handle, "relay_module") : NULL;

		if (!def) {
			print_error("%s\n", dlerror());
			return -1;
		}
		handles[mods_count] = handle;
		mods[mods_count++] = (struct config_module){.name = def->name,
			.options = def->options,
			.conf_size = def->conf_size};
	}
	globfree(&found);
	return 0;
}

static int close_modules(void **state)
{
	(void)state;
	while (mods_count)
		(void)dlclose(handles[--mods_count]);
	return 0;
}

static void tell(enum relay_level level, const char *text, void *arg)
{
	(void)level;
	(void)arg;
	print_error("%s\n", text);
}

static struct config *load(const char *file)
{
	struct config *config =
		config_load(file, NULL, mods, mods_count, tell, NULL);

	assert_non_null(config);
	return config;
}

static bool is_commented_out(const char *name)
{
	FILE *file = fopen(CONF_DIR "/strelaysrv.conf", "re");
	char line[256], wanted[80];
	bool found = false;

	assert_non_null(file);
	(void)snprintf(wanted, sizeof(wanted), "# %s = ", name);
	while (!found && fgets(line, sizeof(line), file))
		found = strncmp(line + strspn(line, "\t"), wanted,
				strlen(wanted)) == 0;
	(void)fclose(file);
	return found;
}

static void compare(
	const char *section, const struct relay_value *value, void *arg)
{
	struct relay_value wanted;
	char *found, *text;

	assert_int_equal(
		config_get(arg, section, value->option->name, &wanted), 0);
	found = option_format(value);
	text = option_format(&wanted);
	assert_non_null(found);
	assert_non_null(text);
	if (strcmp(found, text) != 0)
		fail_msg("%s: %s is %s; the default is %s", value->origin,
			value->option->name, found, text);
	/* Options that must not be empty can only be shown as a comment. */
	if (value->option->flags & RELAY_OPTION_FILLED)
		assert_true(is_commented_out(value->option->name));
	else if (strcmp(value->origin, "default") == 0)
		fail_msg("%s of section %s is missing", value->option->name,
			section ? section : "(top)");
	free(found);
	free(text);
}

static void equals_the_defaults(void **state)
{
	struct config *sample = load(CONF_DIR "/strelaysrv.conf");
	struct config *defaults = load(NULL);

	(void)state;
	config_visit(sample, compare, defaults);
	config_free(sample);
	config_free(defaults);
}

static void has_a_minimal_sister(void **state)
{
	(void)state;
	config_free(load(CONF_DIR "/minimal.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_defaults),
		cmocka_unit_test(has_a_minimal_sister),
	};

	return cmocka_run_group_tests(tests, open_modules, close_modules);
}
