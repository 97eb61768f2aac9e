/* SPDX-License-Identifier: MPL-2.0 */

/* teller - commands of a module of somebody's own: long answers, several
 * answers, one that waits, and odd texts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/module.h>

#define PART 100

struct lines {
	long told;
};

/* Tells that many lines, in portions. */
static enum relay_step lines(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"number", RELAY_COLUMN_COUNT}, {"text", RELAY_COLUMN_TEXT}};
	struct lines *state = to->state;
	long wanted = to->count ? strtol(to->words[0], NULL, 10) : 0;

	(void)cx;
	if (!state->told)
		to->table(to, "lines", columns, 2);
	for (int i = 0; i < PART && state->told < wanted; i++) {
		to->number(to, ++state->told);
		to->text(to, "0123456789012345678901234567890123456789");
	}
	return state->told < wanted ? RELAY_STEP_AGAIN : RELAY_STEP_OVER;
}

static void lines_closed(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct lines *state = to->state;

	relay_log(cx, RELAY_NOTICE, "closed after %s lines",
		state->told > 1000 ? "many" : "few");
}

/* Waits for a message of each worker. */
struct waiter {
	int heard, asked;
};

static struct relay_answer *waiting;

static void heard(struct relay_ctx *cx, const void *arg)
{
	struct waiter *state = waiting ? waiting->state : NULL;

	(void)cx;
	(void)arg;
	if (!state)
		return;
	state->heard++;
	waiting->wake(waiting);
}

static void on_worker(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	(void)relay_post(cx, RELAY_CONTROL, heard, NULL, 0);
}

static enum relay_step workers(struct relay_ctx *cx, struct relay_answer *to)
{
	struct waiter *state = to->state;

	waiting = to;
	while (state->asked < relay_worker_count())
		(void)relay_post(cx, state->asked++, on_worker, NULL, 0);
	to->wait_ms = 600000;
	if (state->heard < relay_worker_count())
		return RELAY_STEP_WAIT;
	to->say(to, "%d workers", state->heard);
	return RELAY_STEP_OVER;
}

static void workers_closed(struct relay_ctx *cx, struct relay_answer *to)
{
	(void)cx;
	(void)to;
	waiting = NULL;
}

static enum relay_step odd(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"text", RELAY_COLUMN_TEXT}, {"bytes", RELAY_COLUMN_BYTES},
		{"rate", RELAY_COLUMN_RATE}, {"time", RELAY_COLUMN_MS}};

	(void)cx;
	to->table(to, "odd", columns, 4);
	to->text(to, "\033[2J\"\\\n\xff\xc3\xbc");
	to->number(to, 1536);
	to->number(to, 2500000);
	to->number(to, 3661000);
	to->none(to);
	to->none(to);
	to->none(to);
	to->none(to);
	to->show(to);
	to->say(to, "second");
	to->fail(to, 7, "third");
	return RELAY_STEP_OVER;
}

/* Never ends. */
static enum relay_step forever(struct relay_ctx *cx, struct relay_answer *to)
{
	(void)cx;
	to->wait_ms = 3600000;
	return RELAY_STEP_WAIT;
}

static const struct relay_command_def commands[] = {
	{.name = "lines",
		.words = "NUMBER",
		.help = "that many lines",
		.state_size = sizeof(struct lines),
		.run = lines,
		.closed = lines_closed},
	{.name = "workers",
		.help = "hears all workers",
		.state_size = sizeof(struct waiter),
		.run = workers,
		.closed = workers_closed},
	{.name = "odd", .help = "odd texts", .run = odd},
	{.name = "forever", .help = "never ends", .run = forever},
	{.name = NULL},
};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const struct relay_command_def bad = {
		.name = "No", .help = "", .run = odd};
	struct relay_err why;

	if (relay_commands_add(cx, commands, err) != 0)
		return -1;
	if (relay_command_add(cx, &bad) == 0 ||
		relay_commands_add(cx, commands, &why) == 0 ||
		strcmp(why.text, "cannot add the command lines") != 0)
		return relay_fail(err, "a bad command was added");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("teller", "1.0", "commands for tests"),
	.flags = RELAY_CONFINED,
	.init = init,
};
