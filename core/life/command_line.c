/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the command line, whose flags are partly the modules'. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/flags.h"
#include "host/host.h"
#include "life/command_line.h"
#include "log/log.h"
#include "modules/catalog.h"
#include "modules/preload.h"

static int no_memory(void)
{
	log_core(RELAY_ERROR, "out of memory");
	return EXIT_FAILURE;
}

/* Knows the flags of the modules that are open. */
static int parse(int argc, char *const argv[], const struct catalog *catalog,
	struct flags *flags, FILE *out)
{
	size_t count;
	const struct config_module *schema = host_schema(&count);

	if (!schema)
		return no_memory();
	return flags_parse(
		argc, argv, schema, count, catalog->dirs, flags, out);
}

/* Whether the modules that are open suffice for what was asked. */
static bool is_plain_start(const struct flags *flags, const char *conf)
{
	return (flags->action == CONFIG_RUN ||
		       flags->action == CONFIG_VERSION) &&
	       !flags->missing &&
	       (flags->conf ? conf && strcmp(flags->conf, conf) == 0 : !conf);
}

/* Prints nothing.  0, or what flags_parse() returned. */
static int try(int argc, char *const argv[], struct catalog *catalog,
	struct flags *flags)
{
	char *text = NULL;
	size_t len;
	FILE *unread = open_memstream(&text, &len);
	int code;

	if (!unread)
		return no_memory();
	do {
		flags_free(flags);
		code = parse(argc, argv, catalog, flags, unread);
	} while (flags->missing && catalog_want(catalog, flags->missing) > 0 &&
		 catalog_open_now(catalog) > 0);
	(void)fclose(unread);
	free(text);
	return code;
}

int command_line_read(int argc, char *const argv[], struct catalog *catalog,
	struct flags *flags)
{
	const char *conf = flags_conf(argc, argv);

	if (preload_open(catalog, conf) != 0)
		return no_memory();
	if (try(argc, argv, catalog, flags) == 0 && is_plain_start(flags, conf))
		return 0;
	flags_free(flags);
	(void)catalog_want_all(catalog);
	if (catalog_open_now(catalog) < 0)
		return no_memory();
	return parse(argc, argv, catalog, flags, stderr);
}

bool command_line_has(int argc, char *const argv[], const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		arg += *arg == '-';
		arg += *arg == '-';
		if (arg != argv[i] && strncmp(arg, name, len) == 0 &&
			(arg[len] == '=' || arg[len] == '\0'))
			return true;
	}
	return false;
}
