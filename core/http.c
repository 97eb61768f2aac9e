/* SPDX-License-Identifier: MPL-2.0 */

/* The status address and the private one: routes, and answers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <strelaysrv/server.h>

#include "attribution.h"
#include "http.h"
#include "http_server.h"
#include "log.h"
#include "loop.h"
#include "module.h"

#define SLOW_MS 1000 /* less may be the machine's fault */
#define REST    4    /* times as long as the answer took */

struct route {
	struct route *next;
	struct relay_module *owner; /* borrowed */
	const char *path;           /* owned by the module */
	relay_http_fn *fn;
	bool private;
	int64_t rest_until_ms; /* it was slow: not asked before */
};

static void on_request(struct evhttp_request *req, void *arg);
static void open_again(struct http_server *server);

static struct route *routes; /* the newest first */
/* Everybody's, and the operator's own. */
static struct http_server open_to_all = {.what = "status address",
	.use = INHERITED_STATUS,
	.answer = on_request,
	.again = open_again};
static struct http_server private = {.what = "private address",
	.use = INHERITED_PRIVATE,
	.answer = on_request,
	.again = open_again};

static struct route *find(const char *path)
{
	struct route *r = routes;

	while (r && strcmp(r->path, path) != 0)
		r = r->next;
	return r;
}

static int add_route(struct relay_ctx *cx, const char *path, relay_http_fn *fn,
	bool is_private)
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
	r->private = is_private;
	r->next = routes;
	routes = r;
	return 0;
}

int relay_http_route(struct relay_ctx *cx, const char *path, relay_http_fn *fn)
{
	return add_route(cx, path, fn, false);
}

int relay_http_route_private(
	struct relay_ctx *cx, const char *path, relay_http_fn *fn)
{
	return add_route(cx, path, fn, true);
}

const char *relay_http_asked(const struct relay_http *h, const char *name)
{
	const char *value = evhttp_find_header(
		evhttp_request_get_input_headers(h->handle), name);

	return value ? value : "";
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

static bool has_address(const struct http_server *server)
{
	return server->address && server->address[0];
}

/* Without an address of their own, private routes are everybody's. */
static bool answers(const struct http_server *server, const struct route *r)
{
	return module_visible(r->owner) &&
	       (!r->private || server == &private || !has_address(&private));
}

/* Whoever asks for a slow page again and again shall not stop all the rest. */
static void call(struct route *r, struct relay_http *h)
{
	struct relay_module *owner = r->owner;
	struct attribution a;
	int64_t slow_ms;

	attribution_begin(&a, &owner->control.pub);
	r->fn(&owner->control.pub, h);
	slow_ms = attribution_end(&a, "an HTTP route");
	if (slow_ms >= SLOW_MS)
		r->rest_until_ms = loop_clock_ms() + slow_ms * REST;
	if (h->status < 200 || h->status > 599)
		h->status = HTTP_INTERNAL;
	if (h->status == HTTP_INTERNAL)
		atomic_fetch_add_explicit(
			&owner->failures, 1, memory_order_relaxed);
}

static void answer(const struct http_server *server, struct evhttp_request *req,
	struct relay_http *h)
{
	struct route *r = find(h->path);

	if (!r || !answers(server, r)) {
		refuse(req, h, HTTP_NOTFOUND, "page not found");
		return;
	}
	if (!h->method) {
		(void)relay_http_header(h, "Allow", "GET, HEAD");
		refuse(req, h, HTTP_BADMETHOD, "method not allowed");
		return;
	}
	if (loop_clock_ms() < r->rest_until_ms) {
		(void)relay_http_header(h, "Retry-After", "10");
		refuse(req, h, HTTP_SERVUNAVAIL, "too slow, come back later");
		return;
	}
	call(r, h);
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

	if (!h.body) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	answer(arg, req, &h);
	evbuffer_free(h.body);
}

/* The addresses. */

static bool is_needed(const struct http_server *server)
{
	const struct route *r = routes;

	while (r && !answers(server, r))
		r = r->next;
	return r != NULL;
}

static void open_again(struct http_server *server)
{
	if (is_needed(server))
		http_server_open(server);
}

void http_open(void)
{
	open_again(&open_to_all);
	open_again(&private);
}

void http_reserve(void)
{
	http_server_reserve(&open_to_all);
	http_server_reserve(&private);
}

const char *relay_status_text(void)
{
	const struct route *r = routes;

	/* Where nobody would answer, there is none. */
	while (r && (r->owner->stage == MODULE_LEAVING ||
			    (r->private && has_address(&private))))
		r = r->next;
	return r && open_to_all.address ? open_to_all.text : "";
}

void http_withdraw(struct relay_module *mod)
{
	struct route **at = &routes;

	while (*at) {
		struct route *r = *at;

		if (r->owner != mod) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free(r);
	}
	if (!is_needed(&open_to_all))
		http_server_close(&open_to_all);
	if (!is_needed(&private))
		http_server_close(&private);
}

int http_stage(
	const char *address, const char *private_address, struct relay_err *err)
{
	if (http_server_stage(&open_to_all, &private, address, err) != 0)
		return -1;
	if (http_server_stage(&private, &open_to_all, private_address, err) ==
		0)
		return 0;
	http_server_abandon(&open_to_all);
	return -1;
}

void http_abandon(void)
{
	http_server_abandon(&open_to_all);
	http_server_abandon(&private);
}

void http_take(void)
{
	/* First: without it, private routes move to the other. */
	http_server_take(&private, is_needed(&private));
	http_server_take(&open_to_all, is_needed(&open_to_all));
	if (!is_needed(&private))
		http_server_close(&private);
	if (!is_needed(&open_to_all))
		http_server_close(&open_to_all);
	http_open();
}

void http_pause(void)
{
	http_server_pause(&open_to_all);
	http_server_pause(&private);
}

void http_resume(void)
{
	http_server_resume(&open_to_all);
	http_server_resume(&private);
}

void http_leave(void)
{
	/* Nor are they to be opened again. */
	http_finish();
}

int http_each_socket(listeners_socket_fn *fn, void *arg)
{
	const struct http_server *const both[] = {&open_to_all, &private};

	for (size_t i = 0; i < 2; i++) {
		int fd = http_server_socket(both[i]);

		if (fd >= 0 && fn(both[i]->use, fd, arg) != 0)
			return -1;
	}
	return 0;
}

int http_init(struct event_base *base, const char *address,
	const char *private_address)
{
	if (http_server_init(&open_to_all, base, address))
		return -1;
	if (http_server_init(&private, base, private_address)) {
		http_server_finish(&open_to_all);
		return -1;
	}
	return 0;
}

void http_finish(void)
{
	http_server_finish(&open_to_all);
	http_server_finish(&private);
}
