/* SPDX-License-Identifier: MPL-2.0 */

/* The routes of modules, and the two addresses that serve them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include <strelaysrv/server.h>

#include "modules/module_call.h"
#include "net/capacity.h"
#include "base/clock.h"
#include "base/instance.h"
#include "http/http.h"
#include "http/http_reply.h"
#include "http/http_hosts.h"
#include "http/http_listener.h"
#include "http/http_state.h"
#include "log/log.h"
#include "modules/module.h"

#define SLOW_MS 1000 /* a shorter call may be due to a busy machine */
#define REST    4    /* its route rests for this multiple of that time */

static void on_request(struct http_exchange *x, void *arg);
static void open_again(struct http_listener *server);
static size_t share_of(void *server);

static struct http_listener *new_server(const char *what, const char *option,
	enum inherited_use use, enum http_place place)
{
	struct http_listener *server = malloc(sizeof(*server));

	if (server)
		*server = (struct http_listener){.what = what,
			.option = option,
			.use = use,
			.place_label = place,
			.answer = on_request,
			.limit = share_of,
			.again = open_again};
	return server;
}

int http_create(void)
{
	struct http_state *http = calloc(1, sizeof(*http));

	if (!http)
		return -1;
	instance->http = http;
	http->status = new_server("status address", "status-srv",
		INHERITED_STATUS, HTTP_AT_STATUS);
	http->private = new_server("private address", "private-srv",
		INHERITED_PRIVATE, HTTP_AT_PRIVATE);
	if (http->status && http->private)
		return 0;
	http_destroy();
	return -1;
}

void http_destroy(void)
{
	struct http_state *http = instance->http;

	if (!http)
		return;
	free(http->status);
	free(http->private);
	free(http->metrics);
	free(http);
	instance->http = NULL;
}

static struct http_state *self(void)
{
	return instance->http;
}

static struct route *find(const char *path)
{
	struct route *r = self()->routes;

	while (r && strcmp(r->path, path) != 0)
		r = r->next;
	return r;
}

static int add_route(struct relay_ctx *cx, const char *path, relay_http_fn *fn,
	bool is_private)
{
	struct route *r = find(path);

	if (!module_may_register(cx, "a route"))
		return -1;
	/* A module that is being removed gives up its route; the newest is
	 * found first. */
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
	r->next = self()->routes;
	self()->routes = r;
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
	const struct http_exchange *x = h->handle;
	const char *value = http_head_find(&x->head, name);

	return value ? value : "";
}

int relay_http_header(struct relay_http *h, const char *name, const char *value)
{
	return http_reply_field(h->handle, name, value);
}

/* Answers. */

static bool has_address(const struct http_listener *server)
{
	return server->address && server->address[0];
}

/* Without private-srv the status address serves the private routes, too. */
static bool answers(const struct http_listener *server, const struct route *r)
{
	return module_visible(r->owner) &&
	       (!r->private || server == self()->private ||
		       !has_address(self()->private));
}

/* A slow route is not called again at once: requests for it must not take the
 * control thread from everything else. */
static void call(struct route *r, struct relay_http *h)
{
	struct relay_module *owner = r->owner;
	struct module_call a;
	int64_t slow_ms;

	module_call_begin(&a, &owner->control.pub);
	r->fn(&owner->control.pub, h);
	slow_ms = module_call_end(&a, "an HTTP route");
	if (slow_ms >= SLOW_MS)
		r->rest_until_ms = clock_ms() + slow_ms * REST;
	if (h->status < 200 || h->status > 599)
		h->status = 500;
	if (h->status == 500)
		atomic_fetch_add_explicit(
			&owner->failures, 1, memory_order_relaxed);
}

/* Web pages in the operator's browser can reach every address that the operator
 * can; see http_hosts.h. */
static bool is_rebound(const struct http_listener *server,
	const struct route *r, const struct http_head *head)
{
	const char *const own[] = {server->address, NULL};

	if (!r->private || !head->host || http_host_allowed(head->host, own) ||
		http_host_allowed(head->host, self()->private_hosts))
		return false;
	http_count(HTTP_REQUESTS, HTTP_FOREIGN_HOST, 1);
	relay_log_seldom(NULL, RELAY_WARNING, &self()->foreign_hosts,
		"refused %s, which was asked for by the host name %.255s: if "
		"that is a name of this relay, add it to private-hosts",
		r->path, head->host);
	return true;
}

static void answer(const struct http_listener *server, struct http_exchange *x)
{
	const struct http_head *head = &x->head;
	struct route *r = find(head->path);
	struct relay_http h = {
		.method = head->method,
		.path = head->path,
		.query = head->query,
		.status = 200,
		.type = "text/plain; charset=utf-8",
		.handle = x,
	};

	if (!r || !answers(server, r)) {
		http_reply_say(x, 404, "page not found");
		return;
	}
	if (strcmp(h.method, "GET") != 0 && strcmp(h.method, "HEAD") != 0) {
		(void)http_reply_field(x, "Allow", "GET, HEAD");
		http_reply_say(x, 405, "method not allowed");
		return;
	}
	if (is_rebound(server, r, head)) {
		http_reply_say(
			x, 421, "not a name of this relay, see private-hosts");
		return;
	}
	if (clock_ms() < r->rest_until_ms) {
		(void)http_reply_field(x, "Retry-After", "10");
		http_reply_say(x, 503, "too slow, come back later");
		return;
	}
	h.body = evbuffer_new();
	if (!h.body)
		return;
	call(r, &h);
	http_reply_write(x, h.status, h.type, h.body);
	evbuffer_free(h.body);
}

static void on_request(struct http_exchange *x, void *arg)
{
	answer(arg, x);
}

void http_allow_hosts(const char *const *names)
{
	self()->private_hosts = names;
}

/* The addresses. */

/* Each address has its own share, so that strangers at one address do not use
 * up the operator's. */
static size_t share_of(void *server)
{
	const struct http_listener *other =
		server == self()->private ? self()->status : self()->private;
	size_t all = capacity_http();
	size_t share = has_address(other) ? all / 2 : all;

	return share < HTTP_CONNS_MAX ? share : HTTP_CONNS_MAX;
}

static bool is_needed(const struct http_listener *server)
{
	const struct route *r = self()->routes;

	while (r && !answers(server, r))
		r = r->next;
	return r != NULL;
}

static void open_again(struct http_listener *server)
{
	if (is_needed(server))
		http_listener_open_later(server);
}

static void open_now(struct http_listener *server)
{
	if (is_needed(server))
		http_listener_open(server);
}

void http_open(void)
{
	open_now(self()->status);
	open_now(self()->private);
}

void http_reserve(void)
{
	http_listener_reserve(self()->status);
	http_listener_reserve(self()->private);
}

const char *relay_status_text(void)
{
	const struct route *r = self()->routes;

	/* An address without routes is not opened. */
	while (r && (r->owner->stage == MODULE_LEAVING ||
			    (r->private && has_address(self()->private))))
		r = r->next;
	return r && self()->status->address ? self()->status->text : "";
}

void http_withdraw(struct relay_module *mod)
{
	struct route **at = &self()->routes;

	while (*at) {
		struct route *r = *at;

		if (r->owner != mod) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free(r);
	}
	if (!is_needed(self()->status))
		http_listener_close(self()->status);
	if (!is_needed(self()->private))
		http_listener_close(self()->private);
}

int http_stage(const char *address, const char *private_address,
	const struct name_lookup *names, struct relay_err *err)
{
	if (http_listener_stage(
		    self()->status, self()->private, address, names, err) != 0)
		return -1;
	if (http_listener_stage(self()->private, self()->status,
		    private_address, names, err) == 0)
		return 0;
	http_listener_abandon(self()->status);
	return -1;
}

void http_abandon(void)
{
	http_listener_abandon(self()->status);
	http_listener_abandon(self()->private);
}

void http_take(void)
{
	/* The private address first: without it, the status address serves
	 * its routes. */
	http_listener_take(self()->private, is_needed(self()->private));
	http_listener_take(self()->status, is_needed(self()->status));
	if (!is_needed(self()->private))
		http_listener_close(self()->private);
	if (!is_needed(self()->status))
		http_listener_close(self()->status);
	open_again(self()->status);
	open_again(self()->private);
}

void http_pause(void)
{
	http_listener_pause(self()->status);
	http_listener_pause(self()->private);
}

void http_resume(void)
{
	http_listener_resume(self()->status);
	http_listener_resume(self()->private);
}

void http_leave(void)
{
	/* After this they are not opened again. */
	http_finish();
}

int http_each_socket(listeners_socket_fn *fn, void *arg)
{
	const struct http_listener *const both[] = {
		self()->status, self()->private};

	for (size_t i = 0; i < 2; i++) {
		int fd = http_listener_socket(both[i]);

		if (fd >= 0 && fn(both[i]->use, fd, arg) != 0)
			return -1;
	}
	return 0;
}

int http_init(struct event_base *base, const char *address,
	const char *private_address)
{
	if (http_listener_init(self()->status, base, address))
		return -1;
	if (http_listener_init(self()->private, base, private_address)) {
		http_listener_finish(self()->status);
		return -1;
	}
	return 0;
}

void http_finish(void)
{
	http_listener_finish(self()->status);
	http_listener_finish(self()->private);
}
