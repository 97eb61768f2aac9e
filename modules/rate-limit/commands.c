/* SPDX-License-Identifier: MPL-2.0 */

/* The command limit: rates that an operator sets until the next reload. */

#include <string.h>

#include <strelaysrv/units.h>

#include "rate_limit.h"

static const char *const names[SHAPER_LIMITS] = {
	[LIMIT_GLOBAL] = "global",
	[LIMIT_DEVICE] = "device",
	[LIMIT_SESSION] = "session",
};

static const struct relay_column columns[] = {
	{"limit", RELAY_COLUMN_TEXT},
	{"rate", RELAY_COLUMN_RATE},
	{"configured", RELAY_COLUMN_RATE},
	{"set by", RELAY_COLUMN_TEXT},
};

/* Who has set the rate that is in force. */
static const char *set_by(const struct relay_ctx *cx, int limit)
{
	const struct data *data = cx->data;
	int64_t cap = atomic_load_explicit(&data->cap, memory_order_relaxed);
	int64_t rate = limit_of(cx, limit);

	if (limit == LIMIT_GLOBAL && cap && (!rate || cap < rate))
		return "another module";
	return is_commanded(data, limit) ? "a command" : "the configuration";
}

static void show_rate(struct relay_answer *to, int64_t rate)
{
	if (rate)
		to->number(to, rate);
	else
		to->none(to);
}

static enum relay_step show(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct data *data = cx->data;

	to->table(to, "limits", columns, sizeof(columns) / sizeof(columns[0]));
	for (int limit = 0; limit < SHAPER_LIMITS; limit++) {
		to->text(to, names[limit]);
		show_rate(to, limit == LIMIT_GLOBAL ? effective(data)
						    : limit_of(cx, limit));
		show_rate(to, option_of(cx->conf, limit));
		to->text(to, set_by(cx, limit));
	}
	return RELAY_STEP_OVER;
}

static enum relay_step set(
	struct relay_ctx *cx, struct relay_answer *to, int limit)
{
	char text[RELAY_RATE_TEXT];
	struct relay_err err;
	int64_t rate;

	if (relay_rate_parse(to->words[1], &rate, &err) != 0 ||
		rate > RATE_MOST) {
		to->fail(to, RELAY_COMMAND_USAGE,
			"\"%.60s\" is not a rate; write bytes per second, such "
			"as 500kB/s or 8Mbit/s; 0 is no limit",
			to->words[1]);
		return RELAY_STEP_OVER;
	}
	command_rate(cx, limit, rate);
	relay_rate_format(rate, text);
	if (rate)
		to->say(to, "the %s limit is %s until the next reload or start",
			names[limit], text);
	else
		to->say(to,
			"there is no %s limit until the next reload or start",
			names[limit]);
	return RELAY_STEP_OVER;
}

static enum relay_step limit(struct relay_ctx *cx, struct relay_answer *to)
{
	if (to->count == 0)
		return show(cx, to);
	if (to->count == 2)
		for (int i = 0; i < SHAPER_LIMITS; i++)
			if (strcmp(names[i], to->words[0]) == 0)
				return set(cx, to, i);
	to->fail(to, RELAY_COMMAND_USAGE,
		"usage: limit [session|device|global RATE]");
	return RELAY_STEP_OVER;
}

const struct relay_command_def limit_command = {
	.name = "limit",
	.words = "[session|device|global RATE]",
	.help = "show the limits, or change one at once, until the next reload "
		"or start",
	.flags = RELAY_COMMAND_WORDS_CHANGE,
	.run = limit,
};

static void show_status(struct relay_ctx *cx, struct relay_status *to)
{
	for (int i = 0; i < SHAPER_LIMITS; i++) {
		to->number(to, names[i],
			i == LIMIT_GLOBAL ? effective(cx->data)
					  : limit_of(cx, i));
		if (is_commanded(cx->data, i))
			to->text(to, "set-by-command", names[i]);
	}
}

const struct relay_status_part limit_status = {.show = show_status};
