/* SPDX-License-Identifier: MPL-2.0 */

/*
 * request.h - HTTP requests without blocking the event loop.
 *
 * Uses libcurl's multi interface with libevent; libcurl resolves names in its
 * own threads.  All functions run on the thread of the event base.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/file.h>

struct event_base;
struct request;
struct requests;

/* Most bytes of an answer; a longer one ends the request. */
#define REQUEST_BODY 16384

struct request_pem {
	char *data; /* owned */
	size_t len;
};

/* Borrowed during request_post(). */
struct request_conf {
	const char *url;
	const char *body;            /* JSON; sent as it is */
	const char *agent;           /* User-Agent */
	const char *bind;            /* source address; "": any */
	const struct relay_file *ca; /* NULL: the system's */
	bool ca_alone;               /* no directory of certificates counts */
	const char *proxy;           /* "": from the environment */
	int64_t timeout_ms;
	const struct request_pem *cert, *key;
};

struct request_result {
	long status; /* 0: no complete answer */
	bool cut;    /* the answer was longer than `body` */
	const char *body;
	size_t len;
	char local[64];   /* source address of the request; "": none */
	const char *kind; /* kind of `error`: a constant without addresses */
	char error[256];  /* why there is no complete answer; "": there is */
};

/* Called from the event loop when request_take() has a finished request. */
typedef void requests_ready_fn(void *arg);

/* NULL with err filled. */
struct requests *requests_new(struct event_base *base, requests_ready_fn *ready,
	void *arg, struct relay_err *err);
/* Cancels running requests and frees all.  NULL is allowed. */
void requests_free(struct requests *requests);

/* NULL with err filled. request_take() returns `owner`. */
struct request *request_post(struct requests *requests,
	const struct request_conf *conf, void *owner, struct relay_err *err);
/* A finished request, to be passed to request_end(); NULL: none. */
struct request *request_take(struct requests *requests);
void *request_owner(const struct request *request);
void request_result(const struct request *request, struct request_result *out);
/* Frees it; cancels it if it is still running.  NULL is allowed. */
void request_end(struct request *request);

#endif
