/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the command line: each line of the input is an argument.  Flags that
 * are accepted become a configuration.
 */

#include <stdbool.h>
#include <string.h>

#include "config/config.h"
#include "config/config_section.h"
#include "config/flags.h"
#include "fuzz.h"
#include "sample_options.h"

#define ARGUMENTS 64

/* Only files are read there. */
int config_file_read(const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg)
{
	(void)path;
	(void)sections;
	(void)n;
	(void)report;
	(void)arg;
	return 0;
}

static unsigned errors;

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	FUZZ_CHECK(text[0]);
	errors += level == RELAY_ERROR;
}

static void check_message(const char *text, int code, const struct flags *flags)
{
	FUZZ_CHECK(code >= 0 && code <= 2);
	FUZZ_CHECK(code == 0 || text[0]);
	FUZZ_CHECK((code == 2) == (flags->action == CONFIG_USAGE));
	if (code == 2) {
		const char *end = strchr(text, '\n');

		end = end ? strchr(end + 1, '\n') : NULL;
		FUZZ_CHECK(end && !end[1]); /* two lines */
	}
}

static void check_flags(const struct flags *flags)
{
	struct config *config;

	for (size_t i = 0; i < flags->count; i++) {
		const struct flag_value *value = &flags->values[i];

		FUZZ_CHECK(value->text && value->as_given[0] == '-');
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(flags->values[k].option != value->option);
	}
	errors = 0;
	config = config_load(
		NULL, flags, sample_modules, SAMPLE_MODULES, report, NULL);
	FUZZ_CHECK((config == NULL) == (errors > 0));
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "strelaysrv", *text = fuzz_text(data, size);
	char *argv[ARGUMENTS + 2] = {program}, *rest = text, *message = NULL;
	struct flags flags;
	size_t len = 0;
	int argc = 1, code;
	FILE *err;

	while (rest && argc <= ARGUMENTS)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	(void)flags_module_dir(argc, argv);
	(void)flags_conf(argc, argv);
	err = open_memstream(&message, &len);
	FUZZ_CHECK(err);
	code = flags_parse(argc, argv, sample_modules, SAMPLE_MODULES,
		"modules", &flags, err);
	FUZZ_CHECK(fclose(err) == 0);
	check_message(message, code, &flags);
	if (code == 0)
		check_flags(&flags);
	flags_free(&flags);
	free(message);
	free(text);
	return 0;
}
