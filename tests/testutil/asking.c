/* SPDX-License-Identifier: MPL-2.0 */

/*
 * testutil -connect: requests a device, and connects the session to the
 * terminal.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "terminal.h"
#include "tool.h"

/*
 * If two devices join their session within microseconds, the Go relay refuses
 * the second with "already connected".  So this side waits a moment.
 */
#define HEAD_START_US 100000

struct asking {
	struct tool *tool;
	struct relay_client_ask *ask; /* owned, like all pointers here */
	struct relay_client_session *session;
	struct terminal *terminal;
	struct event *head_start;
	struct relay_client_invitation invitation;
};

static void failed(const struct relay_client_error *why, void *arg)
{
	struct asking *asking = arg;

	tool_say("Failed: %s", why->text);
	tool_end(asking->tool, EXIT_FAILED);
}

static void terminal_ended(const char *problem, void *arg)
{
	struct asking *asking = arg;

	tool_say("Finished: %" PRIu64 " bytes sent, %" PRIu64 " received%s%s",
		terminal_sent(asking->terminal),
		terminal_received(asking->terminal), problem ? ": " : "",
		problem ? problem : "");
	tool_end(asking->tool, problem ? EXIT_FAILED : EXIT_SUCCESS);
}

static void connected(int fd, void *arg)
{
	struct asking *asking = arg;

	tool_say("Joined session");
	asking->terminal = terminal_start(
		asking->tool->base, fd, true, terminal_ended, asking);
	if (!asking->terminal) {
		tool_say("No memory for a session");
		tool_end(asking->tool, EXIT_FAILED);
	}
}

static void join_session(evutil_socket_t fd, short what, void *arg)
{
	static const struct relay_client_session_handlers handlers = {
		connected, failed};
	struct asking *asking = arg;
	struct relay_err err;

	(void)fd;
	(void)what;
	asking->session = relay_client_session(asking->tool->client,
		&asking->invitation, &handlers, asking, &err);
	if (!asking->session) {
		tool_say("Failed: %s", err.text);
		tool_end(asking->tool, EXIT_FAILED);
	}
}

static void invited(const struct relay_client_invitation *invitation, void *arg)
{
	struct asking *asking = arg;
	struct timeval head_start = {0, HEAD_START_US};

	tool_say("Received invitation");
	asking->invitation = *invitation;
	if (evtimer_add(asking->head_start, &head_start))
		tool_end(asking->tool, EXIT_FAILED);
}

static void step(enum relay_client_step at, const char *relay, void *arg)
{
	const struct asking *asking = arg;

	tool_say_step(asking->tool, at, relay);
}

struct asking *asking_start(struct tool *tool, struct relay_err *err)
{
	static const struct relay_client_ask_handlers handlers = {
		step, invited, failed};
	struct asking *asking = calloc(1, sizeof(*asking));
	uint8_t device[RELAY_DEVICE_ID_LEN];

	if (!asking) {
		(void)relay_fail(err, "no memory");
		return NULL;
	}
	asking->tool = tool;
	asking->head_start = evtimer_new(tool->base, join_session, asking);
	if (!asking->head_start)
		(void)relay_fail(err, "no memory");
	else if (relay_device_id_parse(tool->args->connect, device, err) == 0)
		asking->ask = relay_client_ask(tool->client, tool->args->relay,
			device, &handlers, asking, err);
	if (asking->ask)
		return asking;
	asking_free(asking);
	return NULL;
}

void asking_free(struct asking *asking)
{
	if (!asking)
		return;
	if (asking->head_start)
		event_free(asking->head_start);
	terminal_free(asking->terminal);
	relay_client_session_free(asking->session);
	relay_client_ask_free(asking->ask);
	free(asking);
}
