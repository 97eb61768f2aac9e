/* SPDX-License-Identifier: MPL-2.0 */

/* testutil -join: connects one session after the other to the terminal. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"
#include "tool.h"

/* After a minute the relay has forgotten the key anyway. */
#define QUEUE_MAX 16

struct serving {
	struct tool *tool;
	struct relay_client_join *join; /* owned */
	struct relay_client_session
		*session;          /* owned; NULL unless joining a session */
	struct terminal *terminal; /* owned; NULL between sessions */
	struct event *linger;      /* owned; pending: all sessions are done */
	bool relay_lost;
	bool dropped; /* an invitation was dropped and this was logged */
	int64_t done;
	int exit_code; /* to be used after the last session */
	char device[RELAY_DEVICE_ID_TEXT]; /* of the session */
	size_t waiting;
	struct relay_client_invitation queue[QUEUE_MAX];
};

static void next_session(struct serving *serving);

static void all_done(evutil_socket_t fd, short what, void *arg)
{
	struct serving *serving = arg;

	(void)fd;
	(void)what;
	tool_end(serving->tool, serving->exit_code);
}

static bool lingers(const struct serving *serving)
{
	return evtimer_pending(serving->linger, NULL);
}

/*
 * Sent data may still be in the relay, which closes the sessions of a device
 * that disconnects.  Nothing reports when the other side has received
 * everything, so stay for a while.
 */
static void linger(struct serving *serving)
{
	struct timeval t;
	int64_t ms = serving->tool->args->linger_ms;

	t.tv_sec = (time_t)(ms / 1000);
	t.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (serving->relay_lost || evtimer_add(serving->linger, &t))
		tool_end(serving->tool, serving->exit_code);
}

static void end_or_go_on(struct serving *serving)
{
	int64_t most = serving->tool->args->sessions;

	if (most && serving->done >= most)
		linger(serving);
	else if (serving->relay_lost)
		tool_end(serving->tool, EXIT_FAILED);
	else
		next_session(serving);
}

static void terminal_ended(const char *problem, void *arg)
{
	struct serving *serving = arg;

	tool_say("Finished with %s: %" PRIu64 " bytes sent, %" PRIu64
		 " received%s%s",
		serving->device, terminal_sent(serving->terminal),
		terminal_received(serving->terminal), problem ? ": " : "",
		problem ? problem : "");
	terminal_free(serving->terminal);
	serving->terminal = NULL;
	serving->done++;
	if (problem)
		serving->exit_code = EXIT_FAILED;
	end_or_go_on(serving);
}

static void connected(int fd, void *arg)
{
	struct serving *serving = arg;
	bool last = serving->done + 1 == serving->tool->args->sessions;

	relay_client_session_free(serving->session);
	serving->session = NULL;
	tool_say("Joined session with %s", serving->device);
	serving->terminal = terminal_start(
		serving->tool->base, fd, last, terminal_ended, serving);
	if (!serving->terminal) {
		tool_say("No memory for a session");
		tool_end(serving->tool, EXIT_FAILED);
	}
}

/* The invitation has expired, or the other device has given up. */
static void not_connected(const struct relay_client_error *why, void *arg)
{
	struct serving *serving = arg;

	tool_say("Failed to join session with %s: %s", serving->device,
		why->text);
	relay_client_session_free(serving->session);
	serving->session = NULL;
	end_or_go_on(serving);
}

static const struct relay_client_session_handlers session_handlers = {
	connected, not_connected};

static void next_session(struct serving *serving)
{
	struct relay_client_invitation invitation;
	struct relay_err err;

	if (serving->session || serving->terminal || serving->waiting == 0)
		return;
	invitation = serving->queue[0];
	serving->waiting--;
	serving->dropped = false;
	memmove(serving->queue, serving->queue + 1,
		serving->waiting * sizeof(serving->queue[0]));
	relay_device_id_format(invitation.from, serving->device);
	serving->session = relay_client_session(serving->tool->client,
		&invitation, &session_handlers, serving, &err);
	if (!serving->session) {
		tool_say("Failed to join session: %s", err.text);
		tool_end(serving->tool, EXIT_FAILED);
	}
}

static void joined(const char *uri, void *arg)
{
	(void)arg;
	/* Without the query, which may contain the token. */
	tool_say("Joined relay %.*s", (int)strcspn(uri, "?"), uri);
}

static void invited(const struct relay_client_invitation *invitation, void *arg)
{
	struct serving *serving = arg;
	char from[RELAY_DEVICE_ID_TEXT];

	if (lingers(serving))
		return;
	relay_device_id_format(invitation->from, from);
	if (serving->waiting == QUEUE_MAX) {
		/* Logged once: a relay may send many invitations. */
		if (!serving->dropped)
			tool_say("Dropped an invitation from %s, as are all "
				 "while %d are waiting",
				from, QUEUE_MAX);
		serving->dropped = true;
		return;
	}
	tool_say("Received invitation from %s", from);
	serving->queue[serving->waiting++] = *invitation;
	next_session(serving);
}

/* The last bytes of a session may still be in transit. */
static void ended(const struct relay_client_error *why, void *arg)
{
	struct serving *serving = arg;

	tool_say("Lost relay: %s", why->text);
	serving->relay_lost = true;
	serving->waiting = 0;
	if (lingers(serving))
		tool_end(serving->tool, serving->exit_code);
	else if (!serving->session && !serving->terminal)
		tool_end(serving->tool, EXIT_FAILED);
}

static void step(enum relay_client_step at, const char *relay, void *arg)
{
	const struct serving *serving = arg;

	tool_say_step(serving->tool, at, relay);
}

struct serving *serving_start(struct tool *tool, struct relay_err *err)
{
	static const struct relay_client_join_handlers handlers = {
		step, joined, invited, ended};
	struct serving *serving = calloc(1, sizeof(*serving));

	if (!serving) {
		(void)relay_fail(err, "no memory");
		return NULL;
	}
	serving->tool = tool;
	serving->linger = evtimer_new(tool->base, all_done, serving);
	if (!serving->linger) {
		(void)relay_fail(err, "no memory");
		serving_free(serving);
		return NULL;
	}
	serving->join = relay_client_join(
		tool->client, tool->args->relay, &handlers, serving, err);
	if (serving->join)
		return serving;
	serving_free(serving);
	return NULL;
}

bool serving_idle(const struct serving *serving)
{
	return !serving->session && !serving->terminal;
}

void serving_free(struct serving *serving)
{
	if (!serving)
		return;
	if (serving->linger)
		event_free(serving->linger);
	terminal_free(serving->terminal);
	relay_client_session_free(serving->session);
	relay_client_join_free(serving->join);
	free(serving);
}
