/* SPDX-License-Identifier: MPL-2.0 */

/*
 * request.h - HTTP requests on an event loop that never waits for them.
 *
 * libcurl's multi interface, driven by libevent; names are looked up by threads
 * of libcurl's own.  All on the thread of the event base.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct event_base;
struct request;
struct requests;

/* Bytes of an answer that are kept; more than that ends the request. */
#define REQUEST_BODY 16384

struct request_pem {
	char *data; /* owned */
	size_t len;
};

/* Borrowed during request_post(). */
struct request_conf {
	const char *url;
	const char *body;    /* JSON; sent as it is */
	const char *agent;   /* User-Agent */
	const char *bind;    /* the local address; "": any */
	const char *ca_file; /* "": the system's */
	const char *proxy;   /* "": as the environment says */
	int64_t timeout_ms;
	const struct request_pem *cert, *key;
};

struct request_result {
	long status; /* 0: no whole answer */
	bool cut;    /* there was more than `body` */
	const char *body;
	size_t len;
	char local[64];   /* the address it was sent from; "": none */
	const char *kind; /* of `error`: constant, and names no address */
	char error[256];  /* why there is no whole answer; "": there is */
};

/* Told, from the event loop, that request_take() has something to give. */
typedef void requests_ready_fn(void *arg);

/* NULL with err filled. */
struct requests *requests_new(struct event_base *base, requests_ready_fn *ready,
	void *arg, struct relay_err *err);
/* Ends what is under way.  Accepts NULL. */
void requests_free(struct requests *requests);

/* NULL with err filled.  `owner` comes back from request_take(). */
struct request *request_post(struct requests *requests,
	const struct request_conf *conf, void *owner, struct relay_err *err);
/* One that has ended, to be given to request_end(); NULL: no more. */
struct request *request_take(struct requests *requests);
void *request_owner(const struct request *request);
void request_result(const struct request *request, struct request_result *out);
/* Closes its connection at once if it has not ended.  Accepts NULL. */
void request_end(struct request *request);

#endif
