/* SPDX-License-Identifier: MPL-2.0 */

/* Parses the command line as Go's flag package does. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "config/flag_table.h"
#include "config/flag_value.h"
#include "config/flags.h"
#include "config/options.h"
#include "config/print_argument.h"
#include "config/value_text.h"

#define EXIT_FATAL 1
#define EXIT_USAGE 2

struct parser {
	int argc;
	char *const *argv;
	int at; /* index of the next argument */
	const struct config_module *mods;
	size_t mods_count;
	struct flag_table table;
	struct flags *out;
	FILE *err;
	int begun; /* index of the argument that is being parsed; 0: none */
	bool check, ctl, health, modules, version, help;
	const char *topic;     /* borrowed; the value of -help; NULL: none */
	const char *last_bool; /* borrowed; the last argument, if like -debug */
	const char *secret;    /* borrowed; the last flag, if it is a secret */
	/* By row of reserved_flags: whether the last such flag asks for
	 * something. */
	bool demanded[RESERVED_FLAGS_MAX];
};

/* Ends the line that says what is wrong, and says where that is and which part
 * of -help is about it.  `flag`: the nearest flag; NULL: none. */
static int usage_error(struct parser *p, const struct flag *flag)
{
	(void)fputc('\n', p->err);
	if (p->begun)
		(void)fprintf(p->err, "this is argument %d; ", p->begun);
	(void)fprintf(p->err, "see -help%s%s\n", flag ? "=" : "",
		flag ? flags_topic(flag) : "");
	p->out->action = CONFIG_USAGE;
	return EXIT_USAGE;
}

static int no_memory(struct parser *p)
{
	(void)fputs("out of memory\n", p->err);
	return EXIT_FATAL;
}

static int unknown_flag(struct parser *p, const char *name, size_t len)
{
	const struct flag *secret;
	size_t end = flag_table_printable(&p->table, name, len, &secret);
	char *word = strndup(name, end);
	const struct flag *flag;
	const char *near;

	if (!word)
		return no_memory(p);
	near = flag_table_suggest(&p->table, word);
	if (end < len && !secret && strchr(FLAG_NAME_CHARACTERS, name[end])) {
		(void)fprintf(p->err,
			"flag provided but not defined: one that begins with "
			"-%s; the rest may be a secret, so it is not printed",
			word);
		free(word);
		return usage_error(p, NULL);
	}
	(void)fprintf(p->err, "flag provided but not defined: -%s", word);
	if (end < len && name[end] == ' ')
		(void)fputs(" with a space in it; the flag and its value are "
			    "two words: do not put both between quotes",
			p->err);
	else if (end < len)
		(void)fprintf(p->err, " and more; write -%s=VALUE or -%s VALUE",
			word, word);
	else if (near)
		(void)fprintf(p->err, "; did you mean -%s?", near);
	flag = near ? flag_table_find(&p->table, near, strlen(near))
		    : flag_table_of_section(&p->table, word);
	free(word);
	return usage_error(p, flag);
}

static int bad_value(struct parser *p, const struct flag *flag,
	const char *value, const struct relay_err *why)
{
	bool secret = flag->option->flags & RELAY_OPTION_SECRET ||
		      value_has_secret(value);

	/* Of a string only the length can be wrong, which is not a syntax
	 * error. */
	if (flag->option->type == RELAY_STRING ||
		strcmp(why->text, options_no_memory) == 0) {
		(void)fprintf(p->err, "-%s: %s\n", flag->name, why->text);
		return EXIT_FATAL;
	}
	(void)fprintf(p->err, "invalid %svalue ",
		flag_is_bool(flag) ? "boolean " : "");
	if (!secret)
		print_quoted(value, p->err);
	(void)fprintf(p->err, " for %s-%s: %s",
		flag_is_bool(flag) ? "" : "flag ", flag->name, why->text);
	return usage_error(p, flag);
}

/* Otherwise the quotes would be a part of the token, or of a name. */
static int quoted_value(struct parser *p, const struct flag *flag)
{
	(void)fprintf(p->err,
		"the value of -%s has quotes around it: whatever started the "
		"server passed them on, as a shell does not; leave them out",
		flag->name);
	return usage_error(p, flag);
}

/* The entry of an option: the one that it has, or a new one. */
static struct flag_value *value_slot(struct flags *out, const struct flag *flag)
{
	struct flag_value *values;

	for (size_t i = 0; i < out->count; i++)
		if (out->values[i].option == flag->option)
			return &out->values[i];
	values = reallocarray(out->values, out->count + 1, sizeof(*values));
	if (!values)
		return NULL;
	out->values = values;
	values[out->count] = (struct flag_value){
		.section = flag->section, .option = flag->option};
	return &values[out->count++];
}

static int set_option(
	struct parser *p, const struct flag *flag, const char *value)
{
	struct flag_value *slot = value_slot(p->out, flag);
	char *text, *as_given;

	if (!slot)
		return no_memory(p);
	text = strdup(value);
	if (!text)
		return no_memory(p);
	if (asprintf(&as_given, "-%s", flag->name) < 0) {
		free(text);
		return no_memory(p);
	}
	free(slot->text);
	free(slot->as_given);
	slot->text = text;
	slot->as_given = as_given;
	slot->deprecated = flag->deprecated;
	return 0;
}

static int set_text(struct parser *p, char **field, const char *value)
{
	char *text = strdup(value);

	if (!text)
		return no_memory(p);
	free(*field);
	*field = text;
	return 0;
}

/* The text must be a valid boolean. */
static bool truth_of(const char *value)
{
	bool truth = false;

	return relay_bool_parse(value, &truth, NULL) == 0 && truth;
}

static int set_special(
	struct parser *p, const struct flag *flag, const char *value)
{
	switch (flag->special) {
	case FLAG_CHECK:
		p->check = truth_of(value);
		return 0;
	case FLAG_CTL:
		p->ctl = truth_of(value);
		return 0;
	case FLAG_DRAINING:
		p->out->draining = truth_of(value);
		return 0;
	case FLAG_HEALTH:
		p->health = truth_of(value);
		return 0;
	case FLAG_JSON:
		p->out->json = truth_of(value);
		return 0;
	case FLAG_MODULES:
		p->modules = truth_of(value);
		return 0;
	case FLAG_VERSION:
		p->version = truth_of(value);
		return 0;
	case FLAG_HELP:
		p->help = true;
		p->topic = value;
		return 0;
	case FLAG_CONF:
		p->out->conf_given = true;
		if (p->out->conf &&
			set_text(p, &p->out->conf_before, p->out->conf) != 0)
			return EXIT_FATAL;
		return set_text(p, &p->out->conf, value);
	case FLAG_OPTION:
		break;
	}
	return 0;
}

static int set_flag(
	struct parser *p, const struct flag *flag, const char *value)
{
	struct relay_err why;
	bool asks = false;

	if (flag->option && flag->option->flags & RELAY_OPTION_SECRET)
		p->secret = flag->name;
	if (flag_value_is_absent(flag, value))
		return 0;
	if (flag_value_is_quoted(value))
		return quoted_value(p, flag);
	/* -help works whatever its value is. */
	if (flag->special != FLAG_HELP &&
		option_check(
			flag->option, value, OPTION_FROM_FLAG, &asks, &why))
		return bad_value(p, flag, value, &why);
	if (flag->special != FLAG_OPTION)
		return set_special(p, flag, value);
	if (!flag->reserved)
		return set_option(p, flag, value);
	p->out->missing = flag->reserved->module;
	p->demanded[flag->reserved - reserved_flags] =
		asks && flag->reserved->demands;
	return 0;
}

/* Parses one argument that begins with '-' and is longer. */
static int parse_flag(struct parser *p, const char *arg)
{
	const char *name = arg + (arg[1] == '-' ? 2 : 1), *value = NULL;
	size_t len = strcspn(name, "=");
	const struct flag *flag;

	p->last_bool = p->secret = NULL;
	if (!len || name[0] == '-') {
		size_t dashes = strspn(arg, "-");

		len = strcspn(arg + dashes, "=");
		len = flag_table_printable(&p->table, arg + dashes, len, NULL);
		(void)fprintf(p->err, "bad flag syntax: %.*s",
			(int)(dashes + len), arg);
		return usage_error(p, NULL);
	}
	flag = flag_table_find(&p->table, name, len);
	if (!flag)
		return unknown_flag(p, name, len);
	if (name[len] == '=')
		value = name + len + 1;
	else if (flag_is_bool(flag)) {
		value = "true";
		p->last_bool = arg;
	} else if (p->at < p->argc)
		value = p->argv[p->at++];
	if (!value) {
		(void)fprintf(
			p->err, "flag needs an argument: -%s", flag->name);
		return usage_error(p, flag);
	}
	return set_flag(p, flag, value);
}

/* Go would silently ignore this argument and all that follow. */
static int stray(struct parser *p, const char *arg)
{
	bool truth;

	(void)fputs("unexpected argument ", p->err);
	if (p->secret)
		(void)fprintf(p->err,
			"after -%s; a value with spaces must be quoted",
			p->secret);
	else
		print_stray(&p->table, arg, p->err);
	if (p->last_bool && relay_bool_parse(arg, &truth, NULL) == 0)
		(void)fprintf(p->err, "; write %s=%s", p->last_bool, arg);
	return usage_error(p, NULL);
}

/* An argument that is not a flag: after -ctl a word of the command. */
static int take_word(struct parser *p, const char *arg)
{
	if (!p->ctl)
		return stray(p, arg);
	if (!p->out->words)
		p->out->words = calloc((size_t)p->argc, sizeof(*p->out->words));
	if (!p->out->words)
		return no_memory(p);
	p->out->words[p->out->word_count++] = arg;
	return 0;
}

static int parse_all(struct parser *p)
{
	bool flags_over = false;

	while (p->at < p->argc && !p->help) {
		const char *arg = p->argv[p->at];
		int rc;

		p->begun = p->at++;

		/* systemd passes an empty argument for a "${VARIABLE}" that is
		 * empty, so ignore it. */
		if (!*arg)
			continue;
		if (flags_over || arg[0] != '-' || !arg[1]) {
			rc = take_word(p, arg);
			if (rc)
				return rc;
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			flags_over = true;
			continue;
		}
		rc = parse_flag(p, arg);
		if (rc)
			return rc;
	}
	p->begun = 0;
	return 0;
}

static int check_demands(struct parser *p, const char *dirs)
{
	int rc = 0;

	for (size_t i = 0; reserved_flags[i].module; i++) {
		if (!p->demanded[i])
			continue;
		(void)fprintf(p->err,
			"-%s needs the module %s, which is not in %s: install "
			"it, or leave the flag out\n",
			reserved_flags[i].option.name, reserved_flags[i].module,
			dirs);
		rc = EXIT_FATAL;
	}
	return rc;
}

static int finish(struct parser *p, const char *dirs)
{
	if (p->help) {
		int code = flags_usage(
			p->mods, p->mods_count, p->topic, dirs, p->err);

		p->out->action = code ? CONFIG_USAGE : CONFIG_HELP;
		return code;
	}
	if (p->version) {
		p->out->action = CONFIG_VERSION;
		return 0;
	}
	if (!p->ctl && (p->out->json || p->out->draining)) {
		(void)fputs("-json and -draining are for -ctl", p->err);
		return usage_error(p, NULL);
	}
	p->out->action = p->ctl       ? CONFIG_CTL
			 : p->health  ? CONFIG_HEALTH
			 : p->modules ? CONFIG_MODULES
			 : p->check   ? CONFIG_CHECK
				      : CONFIG_RUN;
	return check_demands(p, dirs);
}

int flags_parse(int argc, char *const argv[], const struct config_module *mods,
	size_t n, const char *dirs, struct flags *out, FILE *err)
{
	struct parser p = {.argc = argc,
		.argv = argv,
		.at = 1,
		.mods = mods,
		.mods_count = n,
		.out = out,
		.err = err};
	int rc;

	*out = (struct flags){.action = CONFIG_RUN};
	if (flag_table_make(mods, n, &p.table))
		return no_memory(&p);
	rc = parse_all(&p);
	if (!rc)
		rc = finish(&p, dirs);
	flag_table_free(&p.table);
	return rc;
}

void flags_free(struct flags *flags)
{
	for (size_t i = 0; i < flags->count; i++) {
		free(flags->values[i].text);
		free(flags->values[i].as_given);
	}
	free(flags->values);
	free(flags->words);
	free(flags->conf);
	free(flags->conf_before);
	*flags = (struct flags){0};
}
