/* SPDX-License-Identifier: MPL-2.0 */

/* The command that ends a device's connection, or a session. */

#include "relay/commands/commands.h"
#include "relay/commands/gather.h"
#include "relay/commands/here.h"

static void kick_found(struct relay_ctx *cx, struct relay_answer *to,
	const struct listing *listing)
{
	const struct session_row *session =
		gather_session(listing, to->words[0]);
	char text[RELAY_DEVICE_ID_TEXT];
	const uint8_t *id;
	struct relay_err err;

	if (session) {
		(void)here_end_session(cx, session->session);
		to->say(to, "ended the session %s", to->words[0]);
		return;
	}
	id = gather_device(listing, to->words[0], &err);
	if (!id) {
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
		return;
	}
	relay_device_id_format(id, text);
	to->say(to, "ended %u connections and sessions of %s", here_end(cx, id),
		text);
}

static enum relay_step kick(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct gather *state = to->state;
	enum gathered gathered;

	if (to->count != 1) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: kick ID|SESSION");
		return RELAY_STEP_OVER;
	}
	gathered = gather(cx, to);
	if (gathered == GATHERED_LATER)
		return RELAY_STEP_WAIT;
	if (gathered == GATHERED_ALL)
		kick_found(cx, to, &state->listing);
	return RELAY_STEP_OVER;
}

const struct relay_command_def kick_commands[] = {
	{.name = "kick",
		.words = "ID|SESSION",
		.help = "end a device's connection and its sessions, or one "
			"session",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct gather),
		.run = kick,
		.closed = gather_closed},
	{.name = NULL},
};
