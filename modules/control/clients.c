/* SPDX-License-Identifier: MPL-2.0 */

/* Connections to the control socket: their number, their time, their bytes. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/util.h>
#include <utlist.h>

#include "clients.h"
#include "data.h"
#include "listener.h"
#include "request.h"

/* How long a client may take to send its command, or to read what was written
 * for it. */
#define READING_MS 10000
#define UNREAD_MS  30000
/* The pace at which a waiting client is shown that the server is alive. */
#define BEAT_MS 5000
#define TICK_MS 1000
/* Above this a command is not called for more. */
#define OUT_LOW 32768
/* Connections accepted in one event. */
#define ACCEPTS 8

static void ended(struct client *client, enum client_end why)
{
	relay_metric_inc(client->cx,
		state_of(client->cx)->metrics[METRIC_ENDED], why, 1);
}

static void drop(struct client *client)
{
	struct clients *clients = &state_of(client->cx)->clients;

	request_over(client);
	DL_DELETE(clients->all, client);
	clients->count--;
	relay_metric_set(client->cx,
		state_of(client->cx)->metrics[METRIC_CLIENTS], 0,
		clients->count);
	if (client->soon)
		event_free(client->soon);
	answer_free(&client->answer);
	if (client->buffer)
		bufferevent_free(client->buffer);
	free(client);
}

static size_t unsent(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->buffer));
}

/* Also ends one whose answer is lost: the client sees that it has no end. */
static void drop_if_sent(struct client *client)
{
	if (client->answer.lost && client->state != CLIENT_READING)
		ended(client, CLIENT_UNREAD);
	else if (client->state != CLIENT_ENDING || unsent(client) > 0)
		return;
	drop(client);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	/* on_write() goes on when the client has read. */
	if (client->state != CLIENT_RUNNING || unsent(client) > OUT_LOW)
		return;
	request_step(client);
	drop_if_sent(client);
}

static void on_wake(struct answer *answer)
{
	struct client *client =
		(struct client *)((char *)answer -
				  offsetof(struct client, answer));

	request_soon(client, 0);
}

static void on_write(struct bufferevent *buffer, void *arg)
{
	struct client *client = arg;

	(void)buffer;
	client->moved_ms = relay_now_ms(client->cx);
	if (client->state == CLIENT_RUNNING &&
		!evtimer_pending(client->soon, NULL))
		request_soon(client, 0);
	drop_if_sent(client);
}

static void on_read(struct bufferevent *buffer, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(buffer);
	size_t len = 0;
	struct evbuffer_ptr end =
		evbuffer_search_eol(in, NULL, &len, EVBUFFER_EOL_LF);

	if (client->state != CLIENT_READING) {
		/* One command is all that a connection may give. */
		(void)evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (end.pos < 0 && evbuffer_get_length(in) <= LINE_MAX_BYTES)
		return;
	if (end.pos < 0 || end.pos > LINE_MAX_BYTES) {
		ended(client, CLIENT_LINE);
		request_fail(client, RELAY_COMMAND_USAGE,
			"the command is longer than 4096 bytes");
	} else {
		(void)evbuffer_remove(in, client->line, (size_t)end.pos);
		client->line[end.pos] = '\0';
		request_begin(client);
	}
	(void)evbuffer_drain(in, evbuffer_get_length(in));
	drop_if_sent(client);
}

/* readv(2) or writev(2), which libevent uses, may be refused. */
static void tell_error(const struct client *client, bool writing, int error)
{
	if (error != EPIPE && error != ECONNRESET)
		relay_log_seldom(client->cx, RELAY_WARNING,
			&state_of(client->cx)->broken, "cannot %s a client: %s",
			writing ? "write to" : "read from", strerror(error));
}

/* A client that has shut down only its sending side still reads; one that has
 * gone is found when something is written to it. */
static void on_end(struct bufferevent *buffer, short what, void *arg)
{
	struct client *client = arg;

	(void)buffer;
	if (what & BEV_EVENT_ERROR)
		tell_error(client, what & BEV_EVENT_WRITING, errno);
	if (!(what & BEV_EVENT_EOF) || what & BEV_EVENT_WRITING) {
		ended(client, CLIENT_LEFT);
		drop(client);
	} else if (client->state == CLIENT_READING) {
		ended(client, CLIENT_LINE);
		request_fail(client, RELAY_COMMAND_USAGE,
			"the command has no end of line");
	}
}

static void check_time(struct client *client, int64_t now)
{
	switch (client->state) {
	case CLIENT_READING:
		if (now - client->moved_ms < READING_MS)
			return;
		ended(client, CLIENT_TIME);
		request_fail(client, RELAY_COMMAND_FAILED,
			"no command came within 10 s");
		return;
	case CLIENT_RUNNING:
	case CLIENT_ENDING:
		if (unsent(client) > 0 && now - client->moved_ms > UNREAD_MS) {
			ended(client, CLIENT_UNREAD);
			drop(client);
		} else if (client->state == CLIENT_RUNNING &&
			   unsent(client) == 0 &&
			   now - client->beat_ms >= BEAT_MS) {
			client->beat_ms = client->moved_ms = now;
			answer_beat(&client->answer);
		}
	}
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	struct state *state = state_of(cx);
	struct client *client, *next;
	int64_t now = relay_now_ms(cx);

	(void)arg;
	for (client = state->clients.all; client; client = next) {
		next = client->next;
		check_time(client, now);
	}
	/* After a failure to accept, see on_accept(). */
	if (!state->clients.refused || !state->listener.event ||
		event_add(state->listener.event, NULL) == 0)
		state->clients.refused = 0;
	if (state->clients.all || state->clients.refused)
		return TICK_MS;
	state->clients.timer = NULL;
	return 0;
}

static int start_timer(struct relay_ctx *cx)
{
	struct clients *clients = &state_of(cx)->clients;

	if (!clients->timer)
		clients->timer = relay_timer_add(cx, TICK_MS, tick, NULL);
	return clients->timer ? 0 : -1;
}

/* The one that has done nothing for the longest time makes room. */
static void make_room(struct clients *clients)
{
	struct client *client, *oldest = clients->all;

	if (clients->count < CLIENTS_MAX)
		return;
	for (client = clients->all; client; client = client->next)
		if (client->moved_ms < oldest->moved_ms)
			oldest = client;
	ended(oldest, CLIENT_ROOM);
	drop(oldest);
}

/* Owns the descriptor. */
static void open_client(struct relay_ctx *cx, int fd, gid_t group)
{
	struct clients *clients = &state_of(cx)->clients;
	struct event_base *base = relay_event_base(cx);
	struct client *client;

	make_room(clients);
	client = calloc(1, sizeof(*client));
	if (!client || start_timer(cx) != 0) {
		free(client);
		(void)close(fd);
		return;
	}
	client->cx = cx;
	client->moved_ms = client->beat_ms = relay_now_ms(cx);
	DL_APPEND(clients->all, client);
	clients->count++;
	relay_metric_set(
		cx, state_of(cx)->metrics[METRIC_CLIENTS], 0, clients->count);
	request_identify(client, fd, group);
	client->soon = evtimer_new(base, on_soon, client);
	client->buffer =
		bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->buffer)
		(void)close(fd);
	if (!client->soon || !client->buffer ||
		answer_init(&client->answer,
			bufferevent_get_output(client->buffer), "",
			on_wake) != 0) {
		drop(client);
		return;
	}
	bufferevent_setcb(client->buffer, on_read, on_write, on_end, client);
	bufferevent_setwatermark(
		client->buffer, EV_READ, 0, LINE_MAX_BYTES + 1);
	if (bufferevent_enable(client->buffer, EV_READ | EV_WRITE) != 0)
		drop(client);
}

/* As the core does it: kernels and system call filters may lack accept4(). */
static int accept_client(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL))
		return fd;
	fd = accept(listener, NULL, NULL);
	if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
			       evutil_make_socket_nonblocking(fd) != 0)) {
		(void)close(fd);
		errno = ENOBUFS;
		return -1;
	}
	return fd;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct relay_ctx *cx = arg;
	struct state *state = state_of(cx);

	(void)what;
	for (int i = 0; i < ACCEPTS; i++) {
		int client = accept_client(fd);

		if (client >= 0) {
			open_client(cx, client, state->listener.group);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		/* Without descriptors or memory: later, or it would spin. */
		if (errno != EAGAIN && start_timer(cx) == 0) {
			state->clients.refused++;
			(void)event_del(state->listener.event);
		}
		return;
	}
}

int clients_listen(
	struct relay_ctx *cx, struct listener *listener, struct relay_err *err)
{
	listener->event = event_new(relay_event_base(cx), listener->fd,
		EV_READ | EV_PERSIST, on_accept, cx);
	if (listener->event && event_add(listener->event, NULL) == 0)
		return 0;
	return relay_fail(err, "out of memory");
}

void clients_reload(struct relay_ctx *cx)
{
	struct client *client, *next;

	for (client = state_of(cx)->clients.all; client; client = next) {
		next = client->next;
		if (client->state == CLIENT_RUNNING &&
			request_is_orphan(client))
			request_soon(client, 0);
	}
}

void clients_end_all(struct relay_ctx *cx)
{
	struct client *client, *next;

	for (client = state_of(cx)->clients.all; client; client = next) {
		next = client->next;
		drop(client);
	}
}
