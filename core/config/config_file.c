/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads strelaysrv.conf with libconfuse.  The schema is made from all option
 * tables.
 *
 * libconfuse stops at the first unknown word.  To report all problems at once,
 * the reader removes such a word from the text and parses the text again, until
 * parsing succeeds or fails for another reason.
 *
 * The reader runs in a child process (config_child.h), which exits when the
 * file is read.  So data that lives as long as the reader is not freed.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_child.h"
#include "config/config_listeners.h"
#include "config/config_reader.h"
#include "config/config_variables.h"
#include "config/options.h"

#define INCLUDE_DEPTH_MAX 10
/* Without it, files that each include the next one twice take exponential time.
 */
#define INCLUDES_MAX 1000
/* Parsing takes 36 ms for each MiB, also of comments. */
#define INCLUDED_MAX ((size_t)16 * 1024 * 1024)

/* Global, since libconfuse passes no argument to its callbacks.  Only the child
 * process that reads the file writes it. */
struct config_reader *config_reader;

void config_problem(enum relay_level level, unsigned line, const char *fmt, ...)
{
	struct config_problem at = {
		.source = config_reader->source, .line = line, .level = level};
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	config_problems_add(&config_reader->problems, &at, "%s", text);
}

unsigned config_line(const cfg_t *cfg)
{
	return cfg->line > 0 ? (unsigned)cfg->line : 0;
}

struct config_section *config_section_of(const cfg_t *cfg)
{
	if (cfg == config_reader->root)
		return &config_reader->sections[0];
	if (cfg->title)
		return config_listener_of(cfg);
	for (size_t i = 1; i < config_reader->count; i++)
		if (strcmp(config_reader->sections[i].name, cfg->name) == 0)
			return &config_reader->sections[i];
	return NULL;
}

/* Texts of libconfuse that quote the file: what they quote may be a part of a
 * secret. */
static bool tell_unquoted(const char *fmt, unsigned line, va_list ap)
	__attribute__((format(printf, 1, 0)));

static bool tell_unquoted(const char *fmt, unsigned line, va_list ap)
{
	bool token = strncmp(fmt, "unexpected token", 16) == 0;
	const char *quoted;

	if (!token && strncmp(fmt, "invalid octal", 13) != 0 &&
		strncmp(fmt, "bad escape", 10) != 0)
		return false;
	quoted = va_arg(ap, const char *);
	if (!token)
		config_problem(RELAY_ERROR, line,
			"syntax error: bad escape sequence '%.2s'; write \\\\ "
			"for a backslash",
			quoted);
	else if (quoted[0] && !quoted[1] && strchr("=+{}(),", quoted[0]))
		config_problem(RELAY_ERROR, line,
			"syntax error: unexpected token '%s'", quoted);
	else
		config_problem(RELAY_ERROR, line,
			"syntax error: unexpected text; items of a list need "
			"commas between them, and text with spaces must be "
			"quoted");
	return true;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];

	if (!config_reader->root)
		return;
	if (strncmp(fmt, "no such option", 14) == 0) {
		config_reader->unknown.section = config_section_of(cfg);
		if (!config_reader->unknown.section) /* it has no place */
			config_reader->unknown.section =
				&config_reader->sections[0];
		config_reader->unknown.line = config_line(cfg);
		config_reader->unknown.word = strdup(va_arg(ap, const char *));
		if (!config_reader->unknown.word)
			config_reader->problems.no_memory = true;
		return;
	}
	if (tell_unquoted(fmt, config_line(cfg), ap))
		return;
	if (strncmp(fmt, "found duplicate title", 21) == 0) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"two listeners have the name \"%.*s\"",
			CORE_LISTENER_NAME_MAX, va_arg(ap, const char *));
		return;
	}
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	/* Only the sections of listeners have a title. */
	config_problem(RELAY_ERROR, config_line(cfg), "syntax error: %s%s",
		text,
		strncmp(fmt, "missing title", 13) == 0
			? "; write " CONFIG_LISTENER " \"NAME\" { ... }"
			: "");
}

/* `scope`: the whole file, or the section that includes the source. */
static int parse_source(cfg_t *scope, struct config_source *source)
{
	struct config_source *outer = config_reader->source;
	int line = scope->line, rc;
	FILE *stream = fmemopen(source->text, source->len, "r");

	if (!stream) {
		config_reader->problems.no_memory = true;
		return -1;
	}
	config_reader->source = source;
	source->parsing = true;
	rc = cfg_parse_fp(scope, stream);
	source->parsing = false;
	(void)fclose(stream);
	/* On failure, the source stays set: config_unknown_take() needs it. */
	if (rc != CFG_SUCCESS)
		return -1;
	config_reader->source = outer;
	scope->line = line;
	return 0;
}

/* The file to include; NULL after a problem was reported. */
static struct config_source *find_included(const cfg_t *cfg, const char *name)
{
	struct config_source *source;
	struct relay_err err;
	unsigned line;
	char *path;

	if (!*name || config_variables_in(name, 0, strlen(name))) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): the path is empty, or has an empty "
			"variable");
		return NULL;
	}
	path = config_source_path(config_reader->source->path, name);
	if (!path) {
		config_reader->problems.no_memory = true;
		return NULL;
	}
	source = config_sources_get(&config_reader->sources, path, &line, &err);
	if (!source && line)
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): %s:%u: %s", path, line, err.text);
	else if (!source)
		config_problem(RELAY_ERROR, config_line(cfg), "include(): %s",
			err.text);
	else if (source->parsing)
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): %s would include itself", path);
	free(path);
	return source && !source->parsing ? source : NULL;
}

/*
 * Replaces libconfuse's own include(), which resolves paths from the current
 * directory, leaves a file open after an error in it, and then counts the depth
 * wrong.
 */
static int on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct config_source *source;
	int rc;

	(void)opt;
	if (argc != 1) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"include() takes the path of one file");
		return 0;
	}
	if (config_reader->depth == INCLUDE_DEPTH_MAX) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): more than %d files deep",
			INCLUDE_DEPTH_MAX);
		return 0;
	}
	if (config_reader->includes == INCLUDES_MAX) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): more than %d times in all", INCLUDES_MAX);
		return -1;
	}
	source = find_included(cfg, argv[0]);
	if (!source)
		return 0;
	if (source->len > INCLUDED_MAX - config_reader->included) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"include(): more than %zu MiB in all",
			INCLUDED_MAX / 1024 / 1024);
		return -1;
	}
	config_reader->included += source->len;
	config_reader->includes++;
	config_reader->depth++;
	rc = parse_source(cfg, source);
	config_reader->depth--;
	return rc;
}

/* Returns whether to parse again. */
static bool take_failure(const cfg_t *root, int error)
{
	if (config_unknown_take())
		return true;
	if (config_reader->problems.count > 0)
		return false;
	/* libconfuse fails without a message when there is no memory, and where
	 * a name is empty in a way that config_text_prepare() does not see. */
	if (error == ENOMEM)
		config_reader->problems.no_memory = true;
	else
		config_problem(RELAY_ERROR, config_line(root),
			"syntax error: an option has no name");
	return false;
}

/* Returns whether to parse again. */
static bool parse_pass(struct config_source *source)
{
	cfg_t *root;
	bool again = false;
	int rc;

	config_values_forget();
	config_reader->includes = 0;
	config_reader->included = 0;
	root = cfg_init(config_reader->schema, CFGF_NONE);
	if (!root) {
		config_reader->problems.no_memory = true;
		return false;
	}
	(void)cfg_set_error_function(root, on_error);
	config_reader->root = root;
	config_reader->source = NULL;
	errno = 0;
	rc = parse_source(root, source);
	if (rc)
		again = take_failure(root, errno);
	config_reader->source = source;
	if (!rc)
		config_find_empty_lists(root, &config_reader->sections[0], 0);
	config_reader->root = NULL;
	(void)cfg_free(root);
	return again;
}

static cfg_opt_t value_row(const struct relay_option *option)
{
	cfg_opt_t row = CFG_STR(NULL, NULL, CFGF_NODEFAULT);

	row.name = option ? option->name : "required";
	row.validcb = config_on_value;
	if (option && option->type == RELAY_LIST) {
		static char untouched[] = "{\"" CONFIG_UNTOUCHED "\"}";

		row.flags = CFGF_LIST;
		row.def.parsed = untouched;
	}
	return row;
}

static cfg_opt_t include_row(void)
{
	cfg_opt_t row = CFG_FUNC("include", on_include);

	return row;
}

/* The schema rows of a section, with room for `more`; the last row is all
 * zeros. */
static cfg_opt_t *make_rows(const struct config_section *section, size_t more)
{
	cfg_opt_t *rows = calloc(section->count + more + 3, sizeof(*rows));
	size_t n = 0;

	if (!rows)
		return NULL;
	for (size_t i = 0; i < section->count; i++)
		rows[n++] = value_row(&section->options[i]);
	if (section->name && !section->listener)
		rows[n++] = value_row(NULL);
	rows[n] = include_row();
	return rows;
}

static int section_row(
	const struct config_section *section, cfg_flag_t flags, cfg_opt_t *out)
{
	cfg_opt_t row = CFG_SEC(NULL, NULL, CFGF_NONE);

	row.name = section->name;
	row.flags |= flags;
	row.validcb = config_on_section_end;
	row.subopts = make_rows(section, 0);
	*out = row;
	return row.subopts ? 0 : -1;
}

/* Without CFGF_MULTI, libconfuse would lose a section's file and line. */
static int make_schema(void)
{
	const struct config_section any_listener = {.name = CONFIG_LISTENER,
		.options = listener_options,
		.count = options_count(listener_options),
		.listener = true};
	size_t n = config_reader->sections[0].count + 1;

	config_reader->schema = make_rows(
		&config_reader->sections[0], config_reader->count + 1);
	if (!config_reader->schema)
		return -1;
	for (size_t i = 1; i < config_reader->count; i++)
		if (!config_reader->sections[i].listener &&
			section_row(&config_reader->sections[i], CFGF_MULTI,
				&config_reader->schema[n++]) != 0)
			return -1;
	return section_row(&any_listener,
		CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES,
		&config_reader->schema[n]);
}

static void read_all_passes(const char *path)
{
	struct config_problem at = {.level = RELAY_ERROR};
	struct config_source *source;
	struct relay_err err;
	unsigned line;

	source = config_sources_get(&config_reader->sources, path, &line, &err);
	if (!source && line)
		config_problems_add(&config_reader->problems, &at, "%s:%u: %s",
			path, line, err.text);
	else if (!source)
		config_problems_add(
			&config_reader->problems, &at, "%s", err.text);
	if (!source)
		return;
	if (make_schema() || config_lists_make()) {
		config_reader->problems.no_memory = true;
		return;
	}
	while (parse_pass(source))
		;
	config_lists_judge();
}

static void parse(const char *path, struct config_section *sections, size_t n,
	struct config_serializer *out)
{
	size_t errors;

	config_reader = calloc(1, sizeof(*config_reader));
	if (!config_reader) {
		config_serialize_problem(RELAY_ERROR, "out of memory", out);
		(void)config_serialize_end(out, false);
		return;
	}
	config_reader->sections = sections;
	config_reader->count = n;
	read_all_passes(path);
	errors = config_problems_tell(
		&config_reader->problems, config_serialize_problem, out);
	if (config_reader->lists)
		config_values_hand_over(out);
	(void)config_serialize_end(out, errors == 0);
}

int config_file_read(const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg)
{
	return config_child(parse, path, sections, n, report, arg);
}
