/* SPDX-License-Identifier: MPL-2.0 */

/* One address that answers HTTP: its listener, its bounds, its second tries. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/http.h>
#include <event2/listener.h>

#include "config.h"
#include "http_server.h"
#include "log.h"

#define HEADERS_MAX 8192
#define BODY_MAX    4096
#define TIMEOUT_S   10
#define RETRY_S     30
#define BACKLOG     128

void http_server_close(struct http_server *server)
{
	if (!server->evhttp)
		return;
	evhttp_free(server->evhttp);
	server->evhttp = NULL;
	server->listener = NULL;
	server->bound = server->retired = NULL;
	http_conns_finish(&server->conns);
}

static void resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	if (server->listener)
		(void)evconnlistener_enable(server->listener);
}

/* Out of descriptors, most likely: the waiting connection stays readable, and
 * trying again at once would keep the thread busy. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http_server *server = arg;
	const struct timeval later = {.tv_sec = 1};
	int error = EVUTIL_SOCKET_ERROR();

	log_core(RELAY_DEBUG, "cannot accept on the %s: %s", server->what,
		strerror(error));
	if (event_add(server->resume, &later) == 0)
		(void)evconnlistener_disable(listener);
}

/* An errno, or 0 with place, and the socket in *fd. */
static int bind_shared(struct listen_place *place, bool shares, int *fd)
{
	int error = shares ? 0 : listen_socket_probe(place);

	if (error)
		return error;
	*fd = listen_socket_bind(place);
	return *fd < 0 ? errno : 0;
}

/* What the process was started with; -1: nothing, and place is as it was. */
static int inherit(const struct http_server *server, struct listen_place *place)
{
	struct listen_place at, v4;
	int fd;

	if (listen_place_resolve(server->address, CORE_TCP, &at, NULL) != 0)
		return -1;
	v4 = at;
	fd = inherited_take(server->use, &at.addr, at.v6only);
	if (fd < 0 && listen_place_fall_back(
			      &v4, server->address, CORE_TCP, EAFNOSUPPORT))
		fd = inherited_take(server->use, &v4.addr, v4.v6only);
	if (fd < 0)
		return -1;
	at.len = sizeof(at.addr);
	if (getsockname(fd, (struct sockaddr *)&at.addr, &at.len) != 0) {
		(void)close(fd);
		return -1;
	}
	*place = at;
	return fd;
}

/* A socket that does not listen yet, or -1. */
static int bind_address(const char *address, struct listen_place *place,
	bool shares, struct relay_err *err)
{
	int error, fd = -1;

	if (listen_place_resolve(address, CORE_TCP, place, err) != 0)
		return -1;
	error = bind_shared(place, shares, &fd);
	/* A kernel without IPv6 is no reason to have no status page. */
	if (error && listen_place_fall_back(place, address, CORE_TCP, error))
		error = bind_shared(place, shares, &fd);
	if (!error)
		return fd;
	return relay_fail(
		err, "%s%s", strerror(error), listen_socket_advice(error));
}

void http_server_reserve(struct http_server *server)
{
	struct relay_err err;

	if (!server->address || !server->address[0] || server->reserved >= 0)
		return;
	server->reserved = inherit(server, &server->place);
	if (server->reserved < 0)
		server->reserved = bind_address(
			server->address, &server->place, false, &err);
	/* Why it cannot be bound is told when it is to be opened. */
}

static int take_reserved(struct http_server *server)
{
	int fd = server->reserved;

	server->reserved = -1;
	return fd;
}

static void drop_reserved(struct http_server *server)
{
	int fd = take_reserved(server);

	if (fd >= 0)
		(void)close(fd);
}

/* The configured host, with the port that was really bound. */
static void note_address(struct http_server *server)
{
	struct address parts;

	if (address_split(server->address, &parts, NULL) == 0)
		address_join(parts.host, address_port(&server->place.addr),
			server->text, sizeof(server->text));
}

static int limit_server(struct http_server *server)
{
	if (http_conns_init(&server->conns, server->base))
		return -1;
	evhttp_set_bevcb(server->evhttp, http_conns_make, &server->conns);
	evhttp_set_gencb(server->evhttp, server->answer, server);
	evhttp_set_timeout(server->evhttp, TIMEOUT_S);
	evhttp_set_max_headers_size(server->evhttp, HEADERS_MAX);
	evhttp_set_max_body_size(server->evhttp, BODY_MAX);
	/* All of them, so that it is we who say 405 and what is allowed. */
	evhttp_set_allowed_methods(server->evhttp,
		EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
			EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
			EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	return 0;
}

/* Takes fd over, which is bound.  0 or -1. */
static int serve_on(struct http_server *server, int fd, struct relay_err *err)
{
	struct evconnlistener *listener;

	relay_fail(err, "no memory");
	if (!server->evhttp) {
		server->evhttp = evhttp_new(server->base);
		if (!server->evhttp || limit_server(server))
			goto error;
	}
	if (listen(fd, BACKLOG) != 0) {
		relay_fail(err, "%s", strerror(errno));
		goto error;
	}
	listener = evconnlistener_new(server->base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener)
		goto error;
	server->bound = evhttp_bind_listener(server->evhttp, listener);
	if (!server->bound) {
		evconnlistener_free(listener);
		fd = -1;
		goto error;
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	server->listener = listener;
	note_address(server);
	return 0;

error:
	http_server_close(server);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void tell_open(struct http_server *server)
{
	log_core(server->failing ? RELAY_NOTICE : RELAY_INFO, "%s: %s",
		server->what, server->text);
	server->failing = false;
}

static void tell_failure(struct http_server *server, const char *why)
{
	const struct timeval later = {.tv_sec = RETRY_S};

	log_core(server->failing ? RELAY_DEBUG : RELAY_WARNING,
		"cannot open the %s %s: %s; the relay goes on without it and "
		"tries again every %d s",
		server->what, server->address, why, RETRY_S);
	server->failing = true;
	(void)event_add(server->retry, &later);
}

void http_server_open(struct http_server *server)
{
	struct relay_err err;
	int fd;

	if (!server->address[0] || server->evhttp)
		return;
	fd = take_reserved(server);
	if (fd < 0)
		fd = inherit(server, &server->place);
	if (fd < 0)
		fd = bind_address(server->address, &server->place, false, &err);
	if (fd >= 0 && serve_on(server, fd, &err) == 0)
		tell_open(server);
	else
		tell_failure(server, err.text);
}

int http_server_socket(const struct http_server *server)
{
	return server->bound ? evhttp_bound_socket_get_fd(server->bound) : -1;
}

void http_server_pause(struct http_server *server)
{
	(void)event_del(server->resume);
	if (server->listener)
		(void)evconnlistener_disable(server->listener);
}

void http_server_resume(struct http_server *server)
{
	resume(-1, 0, server);
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	/* Its owner may have found out that nobody needs it any more. */
	server->again(server);
}

/* Another address. */

/* Who waited is in by now: sockets come before timers in a turn of the loop. */
static void retire(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	if (server->evhttp && server->retired)
		evhttp_del_accept_socket(server->evhttp, server->retired);
	server->retired = NULL;
}

static void retire_soon(struct http_server *server)
{
	static const struct timeval now = {0, 0};

	retire(-1, 0, server);
	server->retired = server->bound;
	server->bound = NULL;
	server->listener = NULL;
	if (!server->lent)
		listen_socket_deafen(
			evhttp_bound_socket_get_fd(server->retired));
	if (event_add(server->retiring, &now) != 0)
		retire(-1, 0, server);
}

static bool is_at(
	const struct http_server *server, const struct listen_place *place)
{
	return server->bound && listen_place_same(&server->place, place);
}

static bool is_near(
	const struct http_server *server, const struct listen_place *place)
{
	return server->bound && listen_place_overlaps(&server->place, place);
}

/* What another gives up is the same socket for both, for a moment. */
static int borrow(struct http_server *other, struct relay_err *err)
{
	int fd = fcntl(
		evhttp_bound_socket_get_fd(other->bound), F_DUPFD_CLOEXEC, 0);

	other->lent = true;
	return fd < 0 ? relay_fail(err, "%s", strerror(errno)) : fd;
}

static int stage_socket(struct http_server *server, struct http_server *other,
	const char *address, struct relay_err *err)
{
	struct http_stage *stage = &server->stage;

	if (listen_place_resolve(address, CORE_TCP, &stage->place, err) != 0)
		return -1;
	if (is_at(server, &stage->place)) {
		stage->keeps = true;
		return 0;
	}
	if (is_at(other, &stage->place))
		stage->fd = borrow(other, err);
	else
		stage->fd = bind_address(address, &stage->place,
			is_near(server, &stage->place) ||
				is_near(other, &stage->place),
			err);
	return stage->fd < 0 ? -1 : 0;
}

int http_server_stage(struct http_server *server, struct http_server *other,
	const char *address, struct relay_err *err)
{
	struct relay_err why;

	server->stage = (struct http_stage){.fd = -1};
	if (strcmp(server->address, address) == 0)
		return 0;
	relay_fail(&why, "no memory");
	server->stage.address = strdup(address);
	if (server->stage.address &&
		(!address[0] ||
			stage_socket(server, other, address, &why) == 0))
		return 0;
	http_server_abandon(server);
	return relay_fail(err, "cannot open the %s %s: %.180s", server->what,
		address, why.text);
}

void http_server_abandon(struct http_server *server)
{
	server->lent = false;
	free(server->stage.address);
	if (server->stage.fd >= 0)
		(void)close(server->stage.fd);
	server->stage = (struct http_stage){.fd = -1};
}

static void take_socket(struct http_server *server, int fd)
{
	struct relay_err err;

	if (server->bound)
		retire_soon(server);
	if (serve_on(server, fd, &err) == 0)
		tell_open(server);
	else
		tell_failure(server, err.text);
}

void http_server_take(struct http_server *server, bool needed)
{
	struct http_stage stage = server->stage;

	server->lent &= stage.address != NULL;
	if (!stage.address)
		return;
	server->stage = (struct http_stage){.fd = -1};
	free(server->address);
	server->address = stage.address;
	server->failing = false;
	drop_reserved(server);
	(void)event_del(server->retry);
	(void)snprintf(
		server->text, sizeof(server->text), "%s", server->address);
	if (stage.fd < 0 && !stage.keeps) {
		http_server_close(server);
		return;
	}
	server->place = stage.keeps ? server->place : stage.place;
	if (stage.keeps)
		note_address(server);
	else if (needed)
		take_socket(server, stage.fd);
	else
		(void)close(stage.fd);
	server->lent = false;
}

int http_server_init(struct http_server *server, struct event_base *base,
	const char *address)
{
	server->base = base;
	server->reserved = -1;
	server->address = strdup(address);
	server->retry = evtimer_new(base, retry, server);
	server->resume = evtimer_new(base, resume, server);
	server->retiring = evtimer_new(base, retire, server);
	server->stage = (struct http_stage){.fd = -1};
	if (!server->address || !server->retry || !server->resume ||
		!server->retiring) {
		http_server_finish(server);
		return -1;
	}
	(void)snprintf(server->text, sizeof(server->text), "%s", address);
	return 0;
}

void http_server_finish(struct http_server *server)
{
	http_server_close(server);
	/* Without an address it was never there, or has been finished. */
	if (server->address)
		drop_reserved(server);
	http_server_abandon(server);
	if (server->retry)
		event_free(server->retry);
	if (server->resume)
		event_free(server->resume);
	if (server->retiring)
		event_free(server->retiring);
	free(server->address);
	server->retry = NULL;
	server->resume = NULL;
	server->retiring = NULL;
	server->address = NULL;
	server->failing = false;
	server->text[0] = '\0';
}
