/* SPDX-License-Identifier: MPL-2.0 */

/* The command log-level. */

#include <string.h>

#include "level.h"

static const struct relay_column columns[] = {
	{"level", RELAY_COLUMN_TEXT}, {"configured", RELAY_COLUMN_TEXT}};

static enum relay_step show(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct level *level = cx->data;
	struct relay_value value;

	to->list(
		to, "log-level", columns, sizeof(columns) / sizeof(columns[0]));
	to->text(to, relay_level_word(level->now));
	if (relay_option_get(cx, "log", "level", &value) == 0)
		to->text(to, value.string);
	else
		to->none(to);
	return RELAY_STEP_OVER;
}

static enum relay_step log_level(struct relay_ctx *cx, struct relay_answer *to)
{
	struct level *level = cx->data;
	int wanted = RELAY_ERROR;
	struct relay_value debug;

	if (to->count == 0)
		return show(cx, to);
	while (wanted <= RELAY_DEBUG &&
		strcmp(to->words[0],
			relay_level_word((enum relay_level)wanted)) != 0)
		wanted++;
	if (to->count > 1 || wanted > RELAY_DEBUG) {
		to->fail(to, RELAY_COMMAND_USAGE,
			"usage: log-level [error|warning|notice|info|debug]");
		return RELAY_STEP_OVER;
	}
	level->now = (enum relay_level)wanted;
	relay_log_sink_level(cx, level->now);
	to->say(to, "%s and above is logged until the next reload",
		relay_level_word(level->now));
	if (relay_option_get(cx, NULL, "debug", &debug) == 0 && debug.number)
		to->say(to, "but the option debug is on: all is logged");
	return RELAY_STEP_OVER;
}

const struct relay_command_def level_command = {
	.name = "log-level",
	.words = "[error|warning|notice|info|debug]",
	.help = "show or change which records are logged, until the next "
		"reload",
	.flags = RELAY_COMMAND_WORDS_CHANGE,
	.run = log_level,
};
