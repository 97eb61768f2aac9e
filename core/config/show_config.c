/* SPDX-License-Identifier: MPL-2.0 */

/* Prints a snapshot of the configuration, with the origin of each value. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/config_listeners.h"
#include "config/options.h"
#include "config/show_config.h"

#define COMMENT_COLUMN 40

struct show {
	FILE *out;
	bool failed;
};

/* One line of output.  Write errors are found at the end, by ferror(). */
struct line {
	FILE *out;
	int width;
};

static void put_char(char c, struct line *line)
{
	(void)fputc((unsigned char)c, line->out);
	line->width++;
}

static void put_text(const char *text, struct line *line)
{
	for (; *text; text++)
		put_char(*text, line);
}

/* Quotes as in the file, where ${VARIABLES} inside of quotes are replaced. */
static void put_quoted(const char *text, struct line *line)
{
	put_char('"', line);
	for (; *text; text++) {
		if (strchr("\"\\$", *text))
			put_char('\\', line);
		put_char(*text, line);
	}
	put_char('"', line);
}

static void put_list(const char *const *list, struct line *line)
{
	put_text("{ ", line);
	for (size_t i = 0; list[i]; i++) {
		if (i)
			put_text(", ", line);
		put_quoted(list[i], line);
	}
	put_text(list[0] ? " }" : "}", line);
}

static int put_value(const struct relay_value *value, struct line *line)
{
	char *text;

	if (option_is_hidden(value)) {
		put_text("***", line);
	} else if (value->option->type == RELAY_STRING) {
		put_quoted(value->string, line);
	} else if (value->option->type == RELAY_LIST) {
		put_list(value->list, line);
	} else {
		text = option_format(value);
		if (!text)
			return -1;
		put_text(text, line);
		free(text);
	}
	return 0;
}

/* A path may have any byte, and a line end would end the comment. */
static void put_comment(const struct relay_value *value, FILE *out)
{
	(void)fputs("# ", out);
	for (const char *c = value->origin; *c; c++)
		(void)fputc(
			(unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, out);
	if (option_is_hidden(value))
		(void)fputs("; a secret: write it here", out);
	(void)fputc('\n', out);
}

/* To write such an option without a value would be an error. */
static bool is_left_out(const struct relay_value *value)
{
	const struct relay_option *option = value->option;

	if (!(option->flags & RELAY_OPTION_FILLED) && option->min <= 0)
		return false;
	if (option->type == RELAY_LIST)
		return !value->list[0];
	return option->type == RELAY_STRING && !value->string[0];
}

static int put_option(
	const char *section, const struct relay_value *value, FILE *out)
{
	struct line line = {.out = out};
	int result;

	put_text(section ? "\t" : "", &line);
	put_text(is_left_out(value) ? "# " : "", &line);
	put_text(value->option->name, &line);
	put_text(" = ", &line);
	result = put_value(value, &line);
	line.width += section ? 7 : 0; /* width of the tab */
	do
		put_char(' ', &line);
	while (line.width <= COMMENT_COLUMN);
	put_comment(value, out);
	return result;
}

static void show_option(
	const char *section, const struct relay_value *value, void *arg)
{
	struct show *show = arg;

	show->failed |= put_option(section, value, show->out) != 0;
}

static void show_listener(
	const struct config *config, const char *name, struct show *show)
{
	char section[sizeof(CONFIG_LISTENER) + 1 + CORE_LISTENER_NAME_MAX];

	(void)snprintf(section, sizeof(section), CONFIG_LISTENER " %s", name);
	(void)fprintf(show->out, "\n" CONFIG_LISTENER " \"%s\" {\n", name);
	config_visit_section(config, section, show_option, show);
	(void)fputs("}\n", show->out);
}

int show_config(const struct config *config, FILE *out)
{
	const struct core_conf *core = config_core(config);
	const char *const *modules = core->modules;
	struct show show = {.out = out};

	(void)fputs(
		"# The configuration that would be in force, and where each "
		"value comes from.\n"
		"# In double quotes, ${NAME} is an environment variable, and "
		"\\$ a dollar sign.\n",
		out);
	config_visit_section(config, NULL, show_option, &show);
	for (; *modules; modules++) {
		/* The module is missing, which was reported.  A section for it
		 * would be refused. */
		if (!config_module_values(config, *modules))
			continue;
		(void)fprintf(out, "\n%s {\n", *modules);
		if (!config_module_required(config, *modules))
			(void)fputs("\trequired = no\n", out);
		config_visit_section(config, *modules, show_option, &show);
		(void)fputs("}\n", out);
	}
	for (size_t i = 0; i < core->listener_count; i++)
		if (core->listeners[i].name[0])
			show_listener(config, core->listeners[i].name, &show);
	return fflush(out) == 0 && !ferror(out) && !show.failed ? 0 : -1;
}
