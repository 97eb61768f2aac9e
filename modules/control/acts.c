/* SPDX-License-Identifier: MPL-2.0 */

/* Commands that do what signals do, and say how that has ended. */

#include <string.h>

#include "commands.h"

/* How often to look whether it has ended. */
#define LOOK_MS 50

struct act_state {
	bool begun;
};

static enum relay_step usage(struct relay_answer *to, const char *what)
{
	to->fail(to, RELAY_COMMAND_USAGE, "usage: %s", what);
	return RELAY_STEP_OVER;
}

/* Says `done` or `failed` when the act has ended. */
static enum relay_step act(struct relay_answer *to, enum relay_act what,
	const char *done, const char *failed)
{
	struct act_state *state = to->state;
	struct relay_err err;

	if (!state->begun && relay_server_act(what, &err) != 0) {
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
		return RELAY_STEP_OVER;
	}
	state->begun = true;
	switch (relay_server_acted(what)) {
	case RELAY_ACTED_NOT_YET:
		to->wait_ms = LOOK_MS;
		return RELAY_STEP_WAIT;
	case RELAY_ACTED_DONE:
		to->say(to, "%s", done);
		break;
	case RELAY_ACTED_NEVER:
	case RELAY_ACTED_FAILED:
		to->fail(to, RELAY_COMMAND_FAILED, "%s", failed);
		break;
	}
	return RELAY_STEP_OVER;
}

static enum relay_step reload(struct relay_ctx *cx, struct relay_answer *to)
{
	(void)cx;
	if (to->count)
		return usage(to, "reload");
	return act(to, RELAY_ACT_RELOAD, "reloaded",
		"not reloaded, everything stays as it was; the log says why");
}

static enum relay_step drain(struct relay_ctx *cx, struct relay_answer *to)
{
	(void)cx;
	if (to->count == 1 && strcmp(to->words[0], "cancel") == 0)
		return act(to, RELAY_ACT_UNDRAIN,
			"the drain is cancelled: the server accepts newcomers",
			"the drain could not be cancelled; the log says why");
	if (to->count)
		return usage(to, "drain [cancel]");
	return act(to, RELAY_ACT_DRAIN,
		"draining: the server accepts no newcomers, and ends after its "
		"last session",
		"the server does not drain; the log says why");
}

static enum relay_step upgrade(struct relay_ctx *cx, struct relay_answer *to)
{
	(void)cx;
	if (to->count)
		return usage(to, "upgrade");
	return act(to, RELAY_ACT_UPGRADE,
		"upgraded: a new process serves; the old one drains, see "
		"-draining",
		"not upgraded, this process goes on; the log says why");
}

const struct relay_command_def act_commands[] = {
	{.name = "reload",
		.help = "read the configuration again, as SIGHUP does",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct act_state),
		.run = reload},
	{.name = "drain",
		.words = "[cancel]",
		.help = "refuse newcomers and end after the last session; or "
			"do not",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct act_state),
		.run = drain},
	{.name = "upgrade",
		.help = "start a new process that takes over, as SIGUSR2 does",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct act_state),
		.run = upgrade},
	{.name = NULL},
};
