/* SPDX-License-Identifier: MPL-2.0 */

/* The status address: listener, routes, and answers. */

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <strelaysrv/server.h>

#include "address.h"
#include "attribution.h"
#include "config.h"
#include "http.h"
#include "http_conns.h"
#include "log.h"
#include "module.h"

#define HEADERS_MAX 8192
#define BODY_MAX    4096
#define TIMEOUT_S   10
#define RETRY_S     30
#define BACKLOG     128

struct route {
	struct route *next;
	struct relay_module *owner; /* borrowed */
	const char *path;           /* owned by the module */
	relay_http_fn *fn;
};

static struct {
	struct event_base *base; /* borrowed */
	char *address;           /* owned; as configured */
	struct route *routes;
	struct evhttp *server;           /* owned; NULL while closed */
	struct evconnlistener *listener; /* owned by server */
	struct event *retry, *resume;    /* owned */
	bool failing;                    /* to bind; the operator was told */
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];
} http;

static struct route *find(const char *path)
{
	struct route *r = http.routes;

	while (r && strcmp(r->path, path) != 0)
		r = r->next;
	return r;
}

int relay_http_route(struct relay_ctx *cx, const char *path, relay_http_fn *fn)
{
	struct route *r = find(path);

	/* One that leaves makes room; the newest is found first. */
	if (r && r->owner->stage != MODULE_LEAVING) {
		relay_log(cx, RELAY_ERROR,
			"%s is already answered by module %s", path,
			r->owner->def.name);
		return -1;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		relay_log(cx, RELAY_ERROR, "no memory for the route %s", path);
		return -1;
	}
	r->owner = cx->mod;
	r->path = path;
	r->fn = fn;
	r->next = http.routes;
	http.routes = r;
	return 0;
}

int relay_http_header(struct relay_http *h, const char *name, const char *value)
{
	return evhttp_add_header(
		evhttp_request_get_output_headers(h->handle), name, value);
}

/* Answers. */

static void send_answer(struct evhttp_request *req, const struct relay_http *h)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	bool head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
	char len[24];

	(void)snprintf(len, sizeof(len), "%zu", evbuffer_get_length(h->body));
	/* A header that does not fit into memory makes a poorer answer, and
	 * evhttp notices itself when none can be made. */
	(void)evhttp_add_header(headers, "Content-Type", h->type);
	(void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	(void)evhttp_add_header(headers, "Content-Length", len);
	evhttp_send_reply(req, h->status, NULL, head ? NULL : h->body);
}

static void refuse(struct evhttp_request *req, struct relay_http *h, int status,
	const char *text)
{
	h->status = status;
	(void)evbuffer_drain(h->body, evbuffer_get_length(h->body));
	(void)evbuffer_add_printf(h->body, "%d %s\n", status, text);
	send_answer(req, h);
}

static void answer(struct evhttp_request *req, struct relay_http *h)
{
	const struct route *r = find(h->path);
	struct attribution a;
	struct relay_ctx *cx;

	if (!r || !module_visible(r->owner)) {
		refuse(req, h, HTTP_NOTFOUND, "page not found");
		return;
	}
	if (!h->method) {
		(void)relay_http_header(h, "Allow", "GET, HEAD");
		refuse(req, h, HTTP_BADMETHOD, "method not allowed");
		return;
	}
	cx = &r->owner->control.pub;
	attribution_begin(&a, cx);
	r->fn(cx, h);
	attribution_end(&a, "an HTTP route");
	if (h->status < 200 || h->status > 599)
		h->status = HTTP_INTERNAL;
	send_answer(req, h);
}

static const char *method_of(const struct evhttp_request *req)
{
	switch (evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	default:
		return NULL;
	}
}

static void on_request(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
	struct relay_http h = {
		.method = method_of(req),
		.path = path && *path ? path : "/",
		.query = query ? query : "",
		.status = HTTP_OK,
		.type = "text/plain; charset=utf-8",
		.body = evbuffer_new(),
		.handle = req,
	};

	(void)arg;
	if (!h.body) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	answer(req, &h);
	evbuffer_free(h.body);
}

/* The listener. */

static void close_server(void)
{
	if (!http.server)
		return;
	evhttp_free(http.server);
	http.server = NULL;
	http.listener = NULL;
	http_conns_finish();
}

static void resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (http.listener)
		(void)evconnlistener_enable(http.listener);
}

/* Out of descriptors, most likely: the waiting connection stays readable, and
 * trying again at once would keep the thread busy. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval later = {.tv_sec = 1};
	int error = EVUTIL_SOCKET_ERROR();

	(void)arg;
	log_core(RELAY_DEBUG, "cannot accept on the status address: %s",
		strerror(error));
	if (event_add(http.resume, &later) == 0)
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
	if (bind(fd, (const struct sockaddr *)addr, len) || listen(fd, BACKLOG))
		goto error;
	return fd;

error:
	(void)close(fd);
	return -1;
}

static int bind_address(struct relay_err *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	if (address_resolve(http.address, CORE_TCP, &addr, &len, err))
		return -1;
	fd = bind_to(&addr, len);
	/* A kernel without IPv6 is no reason to have no status page. */
	if (fd < 0 && http.address[0] == ':' &&
		(errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) &&
		address_resolve(http.address, CORE_TCP4, &addr, &len, err) == 0)
		fd = bind_to(&addr, len);
	if (fd < 0)
		return relay_fail(err, "%s", strerror(errno));
	return fd;
}

/* The configured host, with the port that was really bound. */
static void note_address(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct address parts;

	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
		address_split(http.address, &parts, NULL) == 0)
		address_join(parts.host, address_port(&addr), http.text,
			sizeof(http.text));
}

static int limit_server(void)
{
	if (http_conns_init(http.base))
		return -1;
	evhttp_set_bevcb(http.server, http_conns_make, NULL);
	evhttp_set_gencb(http.server, on_request, NULL);
	evhttp_set_timeout(http.server, TIMEOUT_S);
	evhttp_set_max_headers_size(http.server, HEADERS_MAX);
	evhttp_set_max_body_size(http.server, BODY_MAX);
	/* All of them, so that it is we who say 405 and what is allowed. */
	evhttp_set_allowed_methods(http.server,
		EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
			EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
			EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	return 0;
}

static int open_server(struct relay_err *err)
{
	struct evconnlistener *listener;
	int fd = bind_address(err);

	if (fd < 0)
		return -1;
	http.server = evhttp_new(http.base);
	if (!http.server || limit_server())
		goto error;
	listener = evconnlistener_new(http.base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener)
		goto error;
	if (!evhttp_bind_listener(http.server, listener)) {
		evconnlistener_free(listener);
		fd = -1;
		goto error;
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	http.listener = listener;
	note_address(fd);
	return 0;

error:
	close_server();
	if (fd >= 0)
		(void)close(fd);
	return relay_fail(err, "no memory");
}

static bool any_route(void)
{
	const struct route *r = http.routes;

	while (r && !module_visible(r->owner))
		r = r->next;
	return r != NULL;
}

void http_open(void)
{
	const struct timeval later = {.tv_sec = RETRY_S};
	struct relay_err err;

	if (!http.address || !http.address[0] || http.server || !any_route())
		return;
	if (open_server(&err)) {
		log_core(http.failing ? RELAY_DEBUG : RELAY_WARNING,
			"cannot open the status address %s: %s; the relay goes "
			"on without it and tries again every %d s",
			http.address, err.text, RETRY_S);
		http.failing = true;
		(void)event_add(http.retry, &later);
		return;
	}
	log_core(http.failing ? RELAY_NOTICE : RELAY_INFO, "status address: %s",
		http.text);
	http.failing = false;
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	http_open();
}

const char *relay_status_text(void)
{
	/* Nobody would answer there. */
	if (!http.address || !http.routes)
		return "";
	return http.text;
}

void http_withdraw(struct relay_module *mod)
{
	struct route **at = &http.routes;

	while (*at) {
		struct route *r = *at;

		if (r->owner != mod) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free(r);
	}
	if (!any_route())
		close_server();
}

int http_init(struct event_base *base, const char *address)
{
	http.base = base;
	http.address = strdup(address);
	http.retry = evtimer_new(base, retry, NULL);
	http.resume = evtimer_new(base, resume, NULL);
	if (!http.address || !http.retry || !http.resume) {
		http_finish();
		return -1;
	}
	(void)snprintf(http.text, sizeof(http.text), "%s", address);
	return 0;
}

void http_finish(void)
{
	close_server();
	if (http.retry)
		event_free(http.retry);
	if (http.resume)
		event_free(http.resume);
	free(http.address);
	http.retry = NULL;
	http.resume = NULL;
	http.address = NULL;
	http.failing = false;
	http.text[0] = '\0';
}
