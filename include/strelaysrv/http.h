/* SPDX-License-Identifier: MPL-2.0 */

/*
 * HTTP on the status address (-status-srv), which strangers can read, and on
 * the private address (-private-srv), if the operator has set one.  Both run on
 * the control thread, and only if some module has a route there.
 */
#ifndef RELAY_HTTP_H
#define RELAY_HTTP_H

#ifdef __cplusplus
extern "C" {
#endif

struct evbuffer;
struct relay_ctx;

struct relay_http {
	const char *method; /* "GET" or "HEAD"; others are answered with 405 */
	const char *path;   /* without the query */
	const char *query;  /* after '?', still escaped; "" if none */
	int status;         /* to be answered; 200 */
	const char *type;   /* Content-Type; "text/plain; charset=utf-8" */
	struct evbuffer *body; /* empty; append to it.  The server owns it */
	void *handle;          /* for relay_http_header() */
};

/* [C] The answer is sent when it returns. */
typedef void relay_http_fn(struct relay_ctx *cx, struct relay_http *http);

/* The value of the request header of that name; "" if there is none. */
const char *relay_http_asked(const struct relay_http *http, const char *name);
/* Adds a header to the answer; both strings are copied. */
int relay_http_header(
	struct relay_http *http, const char *name, const char *value);

/*
 * Registers `fn` for `path`, which must equal the request target up to '?'.
 * [C] init.  Returns 0, or -1 if another module has that path.  The string must
 * stay valid as long as the module.
 */
int relay_http_route(struct relay_ctx *cx, const char *path, relay_http_fn *fn);
/*
 * The same for pages that only the operator should see: if there is a private
 * address, the path is answered only there.  Requests whose Host is neither an
 * address nor a known name (option private-hosts) get 421.
 */
int relay_http_route_private(
	struct relay_ctx *cx, const char *path, relay_http_fn *fn);

#ifdef __cplusplus
}
#endif

#endif
