/* SPDX-License-Identifier: MPL-2.0 */

/* The command that ends a device's connection, or a session. */

#include <string.h>

#include "relay/commands/commands.h"
#include "relay/commands/gather.h"
#include "relay/data.h"
#include "relay/devices/device.h"

struct kick {
	bool session;
	struct target target;
};

static void on_worker(struct relay_ctx *cx, const void *arg)
{
	const struct kick *kick = arg;
	const struct place place = {cx->worker, kick->target.number};
	struct relay_session *session;
	struct relay_conn *conn;

	if (kick->session) {
		session = relay_session_find(cx, kick->target.number);
		if (session)
			relay_session_close(session, RELAY_END_DENIED);
		return;
	}
	conn = device_find(cx, kick->target.id, place, PEER_JOINED);
	if (conn) {
		peer_log(cx, conn, "ended by a command");
		peer_close(cx, conn, RELAY_END_DENIED);
	}
}

static unsigned post_kick(struct relay_ctx *cx, bool session, int worker,
	uint64_t number, const uint8_t *id)
{
	struct kick kick = {.session = session,
		.target = {.worker = worker, .number = number}};

	if (id)
		memcpy(kick.target.id, id, ID_LEN);
	return relay_post(cx, worker, on_worker, &kick, sizeof(kick)) == 0;
}

/* Sessions first: a device that is here may keep those that it has begun. */
static unsigned kick_device(
	struct relay_ctx *cx, const struct listing *listing, const uint8_t *id)
{
	unsigned count = 0;

	for (size_t i = 0; i < listing->session_count; i++) {
		const struct session_row *row = &listing->sessions[i];

		if (memcmp(row->id[0], id, ID_LEN) == 0 ||
			memcmp(row->id[1], id, ID_LEN) == 0)
			count += post_kick(
				cx, true, row->worker, row->session, NULL);
	}
	for (size_t i = 0; i < listing->device_count; i++) {
		const struct device_row *row = &listing->devices[i];

		if (memcmp(row->id, id, ID_LEN) == 0)
			count += post_kick(
				cx, false, row->worker, row->conn, id);
	}
	return count;
}

static void kick_found(struct relay_ctx *cx, struct relay_answer *to,
	const struct listing *listing)
{
	const struct session_row *session =
		gather_session(listing, to->words[0]);
	char text[RELAY_DEVICE_ID_TEXT];
	const uint8_t *id;
	struct relay_err err;

	if (session) {
		(void)post_kick(
			cx, true, session->worker, session->session, NULL);
		to->say(to, "ended the session %s", to->words[0]);
		return;
	}
	id = gather_device(listing, to->words[0], &err);
	if (!id) {
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
		return;
	}
	relay_device_id_format(id, text);
	to->say(to, "ended %u connections and sessions of %s",
		kick_device(cx, listing, id), text);
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
