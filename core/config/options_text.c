/* SPDX-License-Identifier: MPL-2.0 */

/* Formats option values as text that parses to the same value. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "config/options.h"
#include "config/value_text.h"

#define NS_PER_MS 1000000

struct unit {
	int64_t value;
	const char *word;
};

static const struct unit size_units[] = {
	{INT64_C(1) << 40, "TiB"},
	{INT64_C(1) << 30, "GiB"},
	{INT64_C(1) << 20, "MiB"},
	{INT64_C(1) << 10, "KiB"},
	{0, NULL},
};

static const struct unit rate_units[] = {
	{INT64_C(1000000000000), "TB/s"},
	{INT64_C(1000000000), "GB/s"},
	{INT64_C(1000000), "MB/s"},
	{INT64_C(1000), "kB/s"},
	{0, NULL},
};

/* Uses the largest unit that divides the number, since relay_size_format()
 * rounds. */
static void format_units(
	const struct unit *units, int64_t number, char out[OPTION_NUMBER_TEXT])
{
	for (; number && units->word; units++) {
		if (number % units->value)
			continue;
		(void)snprintf(out, OPTION_NUMBER_TEXT, "%" PRId64 "%s",
			number / units->value, units->word);
		return;
	}
	(void)snprintf(out, OPTION_NUMBER_TEXT, "%" PRId64, number);
}

static void format_duration(int64_t ms, char out[OPTION_NUMBER_TEXT])
{
	int64_t ns;

	/* Only a bound in a table can be that large, never a value. */
	if (__builtin_mul_overflow(ms, NS_PER_MS, &ns))
		ns = ms < 0 ? INT64_MIN : INT64_MAX;
	relay_duration_format(ns, out);
}

void option_format_number(const struct relay_option *option, int64_t number,
	char out[OPTION_NUMBER_TEXT])
{
	_Static_assert(OPTION_NUMBER_TEXT >= RELAY_DURATION_TEXT, "too short");

	if (option->type == RELAY_SIZE)
		format_units(size_units, number, out);
	else if (option->type == RELAY_RATE)
		format_units(rate_units, number, out);
	else if (option->type == RELAY_DURATION)
		format_duration(number, out);
	else
		(void)snprintf(out, OPTION_NUMBER_TEXT, "%" PRId64, number);
}

static char *format_list(const char *const *list)
{
	size_t bytes = 1;
	char *out, *at;

	for (size_t i = 0; list[i]; i++)
		bytes += strlen(list[i]) + 1;
	out = malloc(bytes);
	if (!out)
		return NULL;
	at = out;
	for (size_t i = 0; list[i]; i++) {
		size_t len = strlen(list[i]);

		if (i)
			*at++ = ',';
		memcpy(at, list[i], len);
		at += len;
	}
	*at = '\0';
	return out;
}

static bool is_empty(const struct relay_value *value)
{
	if (value->option->type == RELAY_STRING)
		return value->string[0] == '\0';
	return value->option->type == RELAY_LIST && !value->list[0];
}

bool option_is_hidden(const struct relay_value *value)
{
	if (value->option->flags & RELAY_OPTION_SECRET)
		return !is_empty(value);
	if (value->option->type == RELAY_STRING)
		return value_has_secret(value->string);
	if (value->option->type != RELAY_LIST)
		return false;
	for (size_t i = 0; value->list[i]; i++)
		if (value_has_secret(value->list[i]))
			return true;
	return false;
}

char *option_format(const struct relay_value *value)
{
	char number[OPTION_NUMBER_TEXT];

	if (option_is_hidden(value))
		return strdup("(secret)");
	switch (value->option->type) {
	case RELAY_BOOL:
		return strdup(value->number ? "yes" : "no");
	case RELAY_STRING:
	case RELAY_CHOICE:
		return strdup(value->string);
	case RELAY_LIST:
		return format_list(value->list);
	default:
		option_format_number(value->option, value->number, number);
		return strdup(number);
	}
}
