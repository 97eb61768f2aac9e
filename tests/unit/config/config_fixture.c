/* SPDX-License-Identifier: MPL-2.0 */

/* Configuration files in a directory for each test. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "config_fixture.h"
#include "sample_options.h"

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/config.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->file, sizeof(f->file), "%s/a.conf", f->dir);
	*state = f;
	return 0;
}

void path_of(const struct fixture *f, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", f->dir, name);
}

int fixture_teardown(void **state)
{
	static const char *const names[] = {"a.conf", "b.conf", "c.conf"};
	struct fixture *f = *state;
	char path[128];

	config_free(f->config);
	flags_free(&f->flags);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(f, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

void write_bytes(const struct fixture *f, const char *name, const void *bytes,
	size_t len)
{
	char path[128];
	FILE *file;

	path_of(f, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void write_file(const struct fixture *f, const char *name, const char *text)
{
	write_bytes(f, name, text, strlen(text));
}

/* Leaves out the directory's name, which differs in each run. */
void tell(enum relay_level level, const char *text, void *arg)
{
	struct fixture *f = arg;
	size_t len = strlen(f->told), dir = strlen(f->dir);
	char plain[1024] = "";
	const char *at;

	while ((at = strstr(text, f->dir))) {
		(void)snprintf(plain + strlen(plain),
			sizeof(plain) - strlen(plain), "%.*s", (int)(at - text),
			text);
		text = at + dir + 1;
	}
	(void)snprintf(f->told + len, sizeof(f->told) - len, "%s: %s%s\n",
		level == RELAY_ERROR ? "error" : "warning", plain, text);
}

const struct config *load_path(struct fixture *f, const char *path)
{
	config_free(f->config);
	f->told[0] = '\0';
	f->config = config_load(
		path, &f->flags, sample_modules, SAMPLE_MODULES, tell, f);
	return f->config;
}

const struct config *load(struct fixture *f, const char *text)
{
	write_file(f, "a.conf", text);
	return load_path(f, f->file);
}

/* Expects no report. */
const struct config *load_good(struct fixture *f, const char *text)
{
	const struct config *config = load(f, text);

	assert_string_equal(f->told, "");
	assert_non_null(config);
	return config;
}

void assert_told(struct fixture *f, const char *text, const char *want)
{
	const struct config *config = load(f, text);

	assert_string_equal(f->told, want);
	assert_int_equal(!config, strstr(want, "error: ") != NULL);
}

void set_flags(struct fixture *f, char *const *args)
{
	char name[] = "strelaysrv";
	char *argv[10] = {name};
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = args[argc - 1];
	flags_free(&f->flags);
	assert_int_equal(flags_parse(argc, argv, sample_modules, SAMPLE_MODULES,
				 "x", &f->flags, stderr),
		0);
}

const struct relay_conf *relay_of(const struct config *config)
{
	return config_module_values(config, "relay");
}

const struct log_conf *log_of(const struct config *config)
{
	return config_module_values(config, "log");
}

const char *origin(struct fixture *f, const char *section, const char *name)
{
	static char text[128];
	struct relay_value value;
	const char *at;

	assert_int_equal(config_get(f->config, section, name, &value), 0);
	at = strstr(value.origin, f->dir);
	(void)snprintf(text, sizeof(text), "%s",
		at ? at + strlen(f->dir) + 1 : value.origin);
	return text;
}
