/* SPDX-License-Identifier: MPL-2.0 */

/* Parses option values into the structs that the tables describe. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "config/options.h"
#include "config/value_text.h"
#include "base/suggest.h"

#define NS_PER_MS 1000000

const char options_no_memory[] = "out of memory";

/* A parsed value, not stored yet; the option's type tells which member is
 * used. */
struct parsed {
	int64_t number;
	char *string;  /* owned */
	char **list;   /* owned; one block: pointers, then the strings */
	size_t length; /* characters, or items */
};

static void parsed_free(struct parsed *p)
{
	free(p->string);
	free(p->list);
}

size_t options_count(const struct relay_option *table)
{
	size_t n = 0;

	while (table && table[n].name)
		n++;
	return n;
}

const struct relay_option *options_find(
	const struct relay_option *table, const char *name)
{
	for (; table && table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const struct relay_option *options_current(
	const struct relay_option *table, const struct relay_option *option)
{
	const struct relay_option *current =
		option->successor ? options_find(table, option->successor)
				  : NULL;

	return current ? current : option;
}

static int parse_duration(
	const char *text, struct parsed *p, struct relay_err *err)
{
	int64_t ns;

	if (relay_duration_parse(text, &ns, err))
		return -1;
	/* Rounding it down to 0 would turn "very short" into "never" or "at
	 * once". */
	if (ns && ns / NS_PER_MS == 0)
		return relay_fail(err,
			"\"%.64s\" is less than 1ms; write at least 1ms, or 0s",
			text);
	p->number = ns / NS_PER_MS;
	return 0;
}

/* A bare number in the flag's unit, as in the Go server. */
static int parse_flag_duration(const struct relay_option *option,
	const char *text, struct parsed *p, struct relay_err *err)
{
	char unit[16];
	int64_t number, ns;

	if (relay_int_parse(text, &number, NULL))
		return parse_duration(text, p, err);
	(void)snprintf(unit, sizeof(unit), "1%s", option->flag_unit);
	if (relay_duration_parse(unit, &ns, err))
		return -1;
	if (__builtin_mul_overflow(number, ns, &ns))
		return relay_fail(err, "\"%.64s\" is too long a time", text);
	p->number = ns / NS_PER_MS;
	return 0;
}

static int parse_choice(const struct relay_option *option, const char *text,
	struct parsed *p, struct relay_err *err)
{
	const char *near;
	char words[160] = "";
	size_t n = 0, len = 0;

	for (; option->choices[n]; n++) {
		if (strcmp(option->choices[n], text) == 0) {
			p->number = (int64_t)n;
			return 0;
		}
		if (len < sizeof(words))
			len += (size_t)snprintf(words + len,
				sizeof(words) - len, "%s%s", n ? ", " : "",
				option->choices[n]);
	}
	near = suggest_nearest(text, option->choices, n);
	return relay_fail(err, "\"%.64s\" is none of %s%s%s%s", text, words,
		near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

/* Continuation bytes of UTF-8 do not begin a character, so they do not
 * count. */
static size_t count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0U) != 0x80U;
	return n;
}

static int parse_string(
	const char *text, struct parsed *p, struct relay_err *err)
{
	if (value_text_check(text, err) != 0)
		return -1;
	p->string = strdup(text);
	if (!p->string)
		return relay_fail(err, "%s", options_no_memory);
	p->length = count_characters(text);
	return 0;
}

static int copy_items(const char *const *items, size_t n, struct parsed *p,
	struct relay_err *err)
{
	size_t bytes = (n + 1) * sizeof(char *);
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(items[i]) + 1;
	p->list = malloc(bytes);
	if (!p->list)
		return relay_fail(err, "%s", options_no_memory);
	at = (char *)(p->list + n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(items[i]) + 1;

		memcpy(at, items[i], len);
		p->list[i] = at;
		at += len;
	}
	p->list[n] = NULL;
	p->length = n;
	return 0;
}

/* Blanks around items and empty items are ignored: "a, b," has two items. */
static int parse_list(const char *text, struct parsed *p, struct relay_err *err)
{
	size_t most = 2;
	char *at;

	for (const char *c = text; *c; c++)
		most += *c == ',';
	p->list = malloc(most * sizeof(char *) + strlen(text) + 1);
	if (!p->list)
		return relay_fail(err, "%s", options_no_memory);
	at = (char *)(p->list + most);
	memcpy(at, text, strlen(text) + 1);
	while (*at) {
		size_t len = strcspn(at, ","), trimmed;
		char *next = at + len + (at[len] == ',');

		at[len] = '\0';
		at += strspn(at, " \t");
		trimmed = strlen(at);
		while (trimmed && strchr(" \t", at[trimmed - 1]))
			trimmed--;
		at[trimmed] = '\0';
		if (trimmed)
			p->list[p->length++] = at;
		if (value_text_check(at, err) != 0)
			return -1;
		at = next;
	}
	p->list[p->length] = NULL;
	return 0;
}

static int parse_value(const struct relay_option *option, const char *text,
	enum option_source source, struct parsed *p, struct relay_err *err)
{
	bool truth;

	switch (option->type) {
	case RELAY_BOOL:
		if (relay_bool_parse(text, &truth, err))
			return -1;
		p->number = truth;
		return 0;
	case RELAY_INT:
		return relay_int_parse(text, &p->number, err);
	case RELAY_SIZE:
		return relay_size_parse(text, &p->number, err);
	case RELAY_RATE:
		return relay_rate_parse(text, &p->number, err);
	case RELAY_DURATION:
		if (source == OPTION_FROM_FLAG && option->flag_unit)
			return parse_flag_duration(option, text, p, err);
		return parse_duration(text, p, err);
	case RELAY_STRING:
		return parse_string(text, p, err);
	case RELAY_CHOICE:
		return parse_choice(option, text, p, err);
	case RELAY_LIST:
		return parse_list(text, p, err);
	}
	return relay_fail(err, "option %s has an unknown type", option->name);
}

static bool is_numeric(enum relay_option_type type)
{
	return type == RELAY_INT || type == RELAY_SIZE || type == RELAY_RATE ||
	       type == RELAY_DURATION;
}

/* A max below min means no upper bound, for options such as "at least 1". */
static int check_number(const struct relay_option *option, int64_t number,
	struct relay_err *err)
{
	char is[OPTION_NUMBER_TEXT], min[OPTION_NUMBER_TEXT];
	char max[OPTION_NUMBER_TEXT];
	bool bounded = option->max >= option->min;

	if (number >= option->min && (!bounded || number <= option->max))
		return 0;
	option_format_number(option, number, is);
	option_format_number(option, option->min, min);
	option_format_number(option, option->max, max);
	if (!bounded)
		return relay_fail(err,
			"%s is too small; at least %s is allowed", is, min);
	return relay_fail(
		err, "%s is out of range; %s to %s is allowed", is, min, max);
}

static int check_length(
	const struct relay_option *option, size_t length, struct relay_err *err)
{
	const char *what = option->type == RELAY_LIST ? "items" : "characters";

	if (option->max >= option->min && option->max >= 0 &&
		length > (uint64_t)option->max)
		return relay_fail(err,
			"%zu %s are too many; at most %" PRId64 " are allowed",
			length, what, option->max);
	if (option->min > 0 && length == 0)
		return relay_fail(err, "it must not be empty");
	if (option->min > 0 && length < (uint64_t)option->min)
		return relay_fail(err,
			"%zu %s are too few; at least %" PRId64 " are needed",
			length, what, option->min);
	return 0;
}

static int check_range(const struct relay_option *option,
	enum option_source source, const struct parsed *p,
	struct relay_err *err)
{
	if (option->flags & RELAY_OPTION_FILLED && p->length == 0 &&
		source != OPTION_FROM_TABLE)
		return relay_fail(
			err, "it must not be empty; leave it out for none");
	if (option->min == 0 && option->max == 0)
		return 0;
	if (is_numeric(option->type))
		return check_number(option, p->number, err);
	if (option->type == RELAY_STRING || option->type == RELAY_LIST)
		return check_length(option, p->length, err);
	return 0;
}

static void *field_of(const struct relay_option *option, void *conf)
{
	return (char *)conf + option->offset;
}

static void clear_field(const struct relay_option *option, void *conf)
{
	void *owned, *none = NULL;

	if (option->type != RELAY_STRING && option->type != RELAY_LIST)
		return;
	/* All pointer types have the same representation here; modules rely on
	 * that, too. */
	memcpy(&owned, field_of(option, conf), sizeof(owned));
	free(owned);
	memcpy(field_of(option, conf), &none, sizeof(none));
}

/* Stores a parsed value.  Takes ownership of p's memory. */
static void store(
	const struct relay_option *option, struct parsed *p, void *conf)
{
	void *field = field_of(option, conf);
	bool truth = p->number != 0;

	clear_field(option, conf);
	if (option->type == RELAY_BOOL)
		memcpy(field, &truth, sizeof(truth));
	else if (option->type == RELAY_STRING)
		memcpy(field, &p->string, sizeof(p->string));
	else if (option->type == RELAY_LIST)
		memcpy(field, &p->list, sizeof(p->list));
	else
		memcpy(field, &p->number, sizeof(p->number));
}

int option_parse(const struct relay_option *option, const char *text,
	enum option_source source, void *conf, struct relay_err *err)
{
	struct parsed p = {0};

	if (parse_value(option, text, source, &p, err) ||
		check_range(option, source, &p, err)) {
		parsed_free(&p);
		return -1;
	}
	store(option, &p, conf);
	return 0;
}

int option_parse_items(const struct relay_option *option,
	const char *const *items, size_t n, void *conf, struct relay_err *err)
{
	struct parsed p = {0};

	if (copy_items(items, n, &p, err) ||
		check_range(option, OPTION_FROM_FILE, &p, err)) {
		parsed_free(&p);
		return -1;
	}
	store(option, &p, conf);
	return 0;
}

int option_check(const struct relay_option *option, const char *text,
	enum option_source source, bool *asks, struct relay_err *err)
{
	struct parsed p = {0};
	int rc = parse_value(option, text, source, &p, err);

	if (!rc)
		rc = check_range(option, source, &p, err);
	if (!rc && asks)
		*asks = p.number != 0 || p.length != 0;
	parsed_free(&p);
	return rc;
}

int options_defaults(
	const struct relay_option *table, void *conf, struct relay_err *err)
{
	struct relay_err why;

	for (const struct relay_option *o = table; o && o->name; o++) {
		if (o->successor || option_parse(o, o->def ? o->def : "",
					    OPTION_FROM_TABLE, conf, &why) == 0)
			continue;
		options_clear(table, conf);
		return relay_fail(err, "the default of option %s is wrong: %s",
			o->name, why.text);
	}
	return 0;
}

void options_clear(const struct relay_option *table, void *conf)
{
	for (; table && table->name; table++)
		clear_field(table, conf);
}

void option_read(const struct relay_option *option, const void *conf,
	struct relay_value *out)
{
	const void *field = (const char *)conf + option->offset;
	bool truth;

	*out = (struct relay_value){.option = option};
	switch (option->type) {
	case RELAY_BOOL:
		memcpy(&truth, field, sizeof(truth));
		out->number = truth;
		break;
	case RELAY_STRING:
		memcpy(&out->string, field, sizeof(out->string));
		break;
	case RELAY_LIST:
		memcpy(&out->list, field, sizeof(out->list));
		break;
	case RELAY_CHOICE:
		memcpy(&out->number, field, sizeof(out->number));
		out->string = option->choices[out->number];
		break;
	default:
		memcpy(&out->number, field, sizeof(out->number));
		break;
	}
}

int option_copy(const struct relay_option *option, const void *from, void *to)
{
	struct relay_value value;
	struct parsed p = {0};
	size_t n = 0;

	option_read(option, from, &value);
	p.number = value.number;
	if (option->type == RELAY_LIST) {
		while (value.list[n])
			n++;
		if (copy_items(value.list, n, &p, NULL) != 0)
			return -1;
	} else if (option->type == RELAY_STRING &&
		   parse_string(value.string, &p, NULL) != 0) {
		return -1;
	}
	store(option, &p, to);
	return 0;
}
