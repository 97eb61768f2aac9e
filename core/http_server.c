/* SPDX-License-Identifier: MPL-2.0 */

/* One address that answers HTTP: its listener, its bounds, its second tries. */

#include <errno.h>
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
#include "rights.h"

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

static int bind_to(const struct sockaddr_storage *addr, socklen_t len)
{
	const int on = 1, off = 0;
	int fd = socket(
		addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		goto error;
	if (addr->ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		goto error;
	if (bind(fd, (const struct sockaddr *)addr, len))
		goto error;
	return fd;

error:
	(void)close(fd);
	return -1;
}

static int bind_address(const struct http_server *server, struct relay_err *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	if (address_resolve(server->address, CORE_TCP, &addr, &len, err))
		return -1;
	fd = bind_to(&addr, len);
	/* A kernel without IPv6 is no reason to have no status page. */
	if (fd < 0 && server->address[0] == ':' &&
		(errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) &&
		address_resolve(server->address, CORE_TCP4, &addr, &len, err) ==
			0)
		fd = bind_to(&addr, len);
	if (fd < 0)
		return relay_fail(
			err, "%s%s", strerror(errno), rights_advice(errno));
	return fd;
}

void http_server_reserve(struct http_server *server)
{
	struct relay_err err;

	if (server->address && server->address[0] && server->reserved < 0)
		server->reserved = bind_address(server, &err);
	/* Why it cannot be bound is told when it is to be opened. */
}

static int listen_on_address(struct http_server *server, struct relay_err *err)
{
	int fd = server->reserved, error;

	server->reserved = -1;
	if (fd < 0)
		fd = bind_address(server, err);
	if (fd < 0 || listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	return relay_fail(err, "%s", strerror(error));
}

/* The configured host, with the port that was really bound. */
static void note_address(struct http_server *server, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct address parts;

	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
		address_split(server->address, &parts, NULL) == 0)
		address_join(parts.host, address_port(&addr), server->text,
			sizeof(server->text));
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

static int open_server(struct http_server *server, struct relay_err *err)
{
	struct evconnlistener *listener;
	int fd = listen_on_address(server, err);

	if (fd < 0)
		return -1;
	server->evhttp = evhttp_new(server->base);
	if (!server->evhttp || limit_server(server))
		goto error;
	listener = evconnlistener_new(server->base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener)
		goto error;
	if (!evhttp_bind_listener(server->evhttp, listener)) {
		evconnlistener_free(listener);
		fd = -1;
		goto error;
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	server->listener = listener;
	note_address(server, fd);
	return 0;

error:
	http_server_close(server);
	if (fd >= 0)
		(void)close(fd);
	return relay_fail(err, "no memory");
}

void http_server_open(struct http_server *server)
{
	const struct timeval later = {.tv_sec = RETRY_S};
	struct relay_err err;

	if (!server->address || !server->address[0] || server->evhttp)
		return;
	if (open_server(server, &err)) {
		log_core(server->failing ? RELAY_DEBUG : RELAY_WARNING,
			"cannot open the %s %s: %s; the relay goes on without "
			"it and tries again every %d s",
			server->what, server->address, err.text, RETRY_S);
		server->failing = true;
		(void)event_add(server->retry, &later);
		return;
	}
	log_core(server->failing ? RELAY_NOTICE : RELAY_INFO, "%s: %s",
		server->what, server->text);
	server->failing = false;
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	/* Its owner may have found out that nobody needs it any more. */
	server->again(server);
}

int http_server_init(struct http_server *server, struct event_base *base,
	const char *address)
{
	server->base = base;
	server->reserved = -1;
	server->address = strdup(address);
	server->retry = evtimer_new(base, retry, server);
	server->resume = evtimer_new(base, resume, server);
	if (!server->address || !server->retry || !server->resume) {
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
	if (server->address && server->reserved >= 0)
		(void)close(server->reserved);
	server->reserved = -1;
	if (server->retry)
		event_free(server->retry);
	if (server->resume)
		event_free(server->resume);
	free(server->address);
	server->retry = NULL;
	server->resume = NULL;
	server->address = NULL;
	server->failing = false;
	server->text[0] = '\0';
}
