/* SPDX-License-Identifier: MPL-2.0 */

/* A snapshot of the configuration as text, with the origin of each value. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "options.h"
#include "show_config.h"

#define COMMENT_COLUMN 40

struct show {
	FILE *out;
	bool failed;
};

/* As the file's syntax has it, which replaces ${VARIABLES} inside of quotes. */
static void put_quoted(const char *text, FILE *line)
{
	(void)fputc('"', line);
	for (; *text; text++) {
		if (strchr("\"\\$", *text))
			(void)fputc('\\', line);
		(void)fputc(*text, line);
	}
	(void)fputc('"', line);
}

static void put_list(const char *const *list, FILE *line)
{
	(void)fputs("{ ", line);
	for (size_t i = 0; list[i]; i++) {
		if (i)
			(void)fputs(", ", line);
		put_quoted(list[i], line);
	}
	(void)fputs(list[0] ? " }" : "}", line);
}

static bool is_hidden(const struct relay_value *value)
{
	if (!(value->option->flags & RELAY_OPTION_SECRET))
		return false;
	/* That there is none is worth seeing, and no secret. */
	if (value->option->type == RELAY_STRING)
		return value->string[0] != '\0';
	return value->option->type != RELAY_LIST || value->list[0];
}

static int put_value(const struct relay_value *value, FILE *line)
{
	char *text;

	if (is_hidden(value)) {
		(void)fputs("***", line);
	} else if (value->option->type == RELAY_STRING) {
		put_quoted(value->string, line);
	} else if (value->option->type == RELAY_LIST) {
		put_list(value->list, line);
	} else {
		text = option_format(value);
		if (!text)
			return -1;
		(void)fputs(text, line);
		free(text);
	}
	return 0;
}

/* A path may hold anything; a line's end would end the comment. */
static void put_comment(const struct relay_value *value, FILE *out)
{
	(void)fputs("# ", out);
	for (const char *c = value->origin; *c; c++)
		(void)fputc(
			(unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, out);
	if (is_hidden(value))
		(void)fputs("; a secret: write it here", out);
	(void)fputc('\n', out);
}

/* To give it without a value would be an error. */
static bool is_left_out(const struct relay_value *value)
{
	if (!(value->option->flags & RELAY_OPTION_FILLED))
		return false;
	return value->option->type == RELAY_LIST ? !value->list[0]
						 : !value->string[0];
}

static int put_option(
	const char *section, const struct relay_value *value, FILE *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *line = open_memstream(&text, &len);
	int result;

	if (!line)
		return -1;
	(void)fprintf(line, "%s%s%s = ", section ? "\t" : "",
		is_left_out(value) ? "# " : "", value->option->name);
	result = put_value(value, line);
	if (fclose(line) != 0)
		result = -1;
	if (result == 0) {
		size_t width = len + (section ? 7 : 0); /* of the tab */

		(void)fprintf(out, "%s%*s ", text,
			width < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - width)
					       : 0,
			"");
		put_comment(value, out);
	}
	free(text);
	return result;
}

static void show_option(
	const char *section, const struct relay_value *value, void *arg)
{
	struct show *show = arg;

	show->failed |= put_option(section, value, show->out) != 0;
}

int show_config(const struct config *config, FILE *out)
{
	const char *const *modules = config_core(config)->modules;
	struct show show = {.out = out};

	(void)fputs(
		"# The configuration that would be in force, and where each "
		"value comes from.\n",
		out);
	config_visit_section(config, NULL, show_option, &show);
	for (; *modules; modules++) {
		/* Not there, and told so: a section would be refused. */
		if (!config_module_values(config, *modules))
			continue;
		(void)fprintf(out, "\n%s {\n", *modules);
		if (!config_module_required(config, *modules))
			(void)fputs("\trequired = no\n", out);
		config_visit_section(config, *modules, show_option, &show);
		(void)fputs("}\n", out);
	}
	return fflush(out) == 0 && !ferror(out) && !show.failed ? 0 : -1;
}
