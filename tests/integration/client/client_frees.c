/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Frees each object of the client library inside each of its callbacks, as
 * client.h allows.  A sanitizer reports a use after free.
 *
 * Usage: client_frees KEYS URI POINT
 *
 * POINT names the callback: join-0 to join-4 and ask-0 to ask-4 are steps;
 * join-joined, join-invited, join-ended; ask-invited, ask-failed; session-good,
 * session-bad.  The device asks for itself.
 *
 * Exit code 0: the callback was called, and no other was called after it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <strelaysrv/client.h>

static struct event_base *base;
static struct relay_client *client;
static struct relay_client_join *join;
static struct relay_client_ask *ask;
static struct relay_client_session *session;
static const char *point, *uri;
static int reached;

/* Whether this is the callback of POINT. Then gives later callbacks a moment to
 * be called. */
static int here(const char *object, const char *callback)
{
	const struct timeval moment = {0, 200 * 1000};
	size_t len = strlen(object);

	if (strncmp(point, object, len) || point[len] != '-' ||
		strcmp(point + len + 1, callback))
		return 0;
	if (reached)
		abort();
	reached = 1;
	event_base_loopexit(base, &moment);
	return 1;
}

static void free_join(const char *callback)
{
	if (here("join", callback)) {
		relay_client_join_free(join);
		join = NULL;
	}
}

static void free_ask(const char *callback)
{
	if (here("ask", callback)) {
		relay_client_ask_free(ask);
		ask = NULL;
	}
}

static void free_session(const char *callback)
{
	if (here("session", callback)) {
		relay_client_session_free(session);
		session = NULL;
	}
}

static const char *step_name(enum relay_client_step step)
{
	static const char *const names[] = {"0", "1", "2", "3", "4"};

	return names[step];
}

static void connected(int fd, void *arg)
{
	(void)arg;
	close(fd);
	free_session("good");
}

static void session_failed(const struct relay_client_error *why, void *arg)
{
	(void)why;
	(void)arg;
	free_session("bad");
}

static void begin_session(const struct relay_client_invitation *invitation)
{
	static const struct relay_client_session_handlers handlers = {
		connected, session_failed};
	struct relay_client_invitation mine = *invitation;

	if (session || reached)
		return;
	if (!strcmp(point, "session-bad"))
		mine.key_len = 0;
	session = relay_client_session(client, &mine, &handlers, NULL, NULL);
	if (!session)
		abort();
}

static void ask_step(enum relay_client_step step, const char *relay, void *arg)
{
	(void)relay;
	(void)arg;
	free_ask(step_name(step));
}

static void ask_invited(
	const struct relay_client_invitation *invitation, void *arg)
{
	(void)arg;
	begin_session(invitation);
	free_ask("invited");
}

static void ask_failed(const struct relay_client_error *why, void *arg)
{
	(void)why;
	(void)arg;
	free_ask("failed");
}

static void begin_ask(void)
{
	static const struct relay_client_ask_handlers handlers = {
		ask_step, ask_invited, ask_failed};
	uint8_t device[RELAY_DEVICE_ID_LEN];

	memcpy(device, relay_client_id(client), sizeof(device));
	if (!strcmp(point, "ask-failed"))
		device[0] ^= 1;
	ask = relay_client_ask(client, uri, device, &handlers, NULL, NULL);
	if (!ask)
		abort();
}

static void join_step(enum relay_client_step step, const char *relay, void *arg)
{
	(void)relay;
	(void)arg;
	free_join(step_name(step));
}

static void joined(const char *where, void *arg)
{
	(void)where;
	(void)arg;
	begin_ask();
	free_join("joined");
}

static void invited(const struct relay_client_invitation *invitation, void *arg)
{
	(void)arg;
	begin_session(invitation);
	free_join("invited");
}

static void ended(const struct relay_client_error *why, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s\n", why->text);
	free_join("ended");
}

int main(int argc, char *argv[])
{
	static const struct relay_client_join_handlers handlers = {
		join_step, joined, invited, ended};
	const struct timeval most = {60, 0};
	struct relay_err err = {"usage: client_frees KEYS URI POINT"};

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	if (!base || argc != 4) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	uri = argv[2];
	point = argv[3];
	client = relay_client_create(base, argv[1], &err);
	if (client)
		join = relay_client_join(client, uri, &handlers, NULL, &err);
	if (join) {
		event_base_loopexit(base, &most);
		event_base_dispatch(base);
	} else {
		fprintf(stderr, "%s\n", err.text);
	}
	relay_client_session_free(session);
	relay_client_ask_free(ask);
	relay_client_join_free(join);
	relay_client_destroy(client);
	event_base_free(base);
	return !reached;
}
