/* SPDX-License-Identifier: MPL-2.0 */

/* Fetches a pool's list of relays, over http or https. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "dial.h"
#include "http_answer.h"
#include "pool.h"

#define REDIRECTIONS_MAX 5
#define ANSWER_MAX       (HTTP_HEAD_MAX + CANDIDATES_BODY_MAX)
/* The list of relays.syncthing.net is about 1 MB. */
#define PATIENCE_FACTOR 3

struct pool {
	struct relay_client *client; /* borrowed */
	pool_fn *done;
	void *arg;
	struct client_uri uri; /* changes with a redirection */
	enum nearness nearest; /* of those that led here */
	int redirections;
	struct dial *dial;          /* owned */
	struct bufferevent *stream; /* owned */
	struct event *patience;     /* owned */
	char *data;                 /* received part of the answer; owned */
	size_t len, cap;
	struct http_answer answer; /* what was parsed of it */
	char place[CLIENT_PLACE];
};

static int begin(struct pool *pool, struct relay_err *err);

static void drop_stream(struct pool *pool)
{
	dial_free(pool->dial);
	pool->dial = NULL;
	if (pool->stream)
		bufferevent_free(pool->stream);
	pool->stream = NULL;
	free(pool->data);
	pool->data = NULL;
	pool->len = pool->cap = 0;
	memset(&pool->answer, 0, sizeof(pool->answer));
}

/* Plain memory: an evbuffer would have to be linearized for each parsing. */
static int make_room(struct pool *pool, size_t more)
{
	size_t want = pool->len + more, cap = pool->cap;
	char *data;

	while (cap < want)
		cap = cap ? cap * 2 : 65536;
	if (cap == pool->cap)
		return 0;
	data = realloc(pool->data, cap);
	if (!data)
		return -1;
	pool->data = data;
	pool->cap = cap;
	return 0;
}

static void fail_with(struct pool *pool, const struct relay_client_error *why)
{
	drop_stream(pool);
	(void)evtimer_del(pool->patience);
	pool->done(NULL, why, pool->arg);
}

static void fail(
	struct pool *pool, enum relay_client_failure failure, const char *what)
{
	struct relay_client_error why;

	client_error(&why, failure, "pool %s: %s", pool->place, what);
	fail_with(pool, &why);
}

static void take_list(struct pool *pool)
{
	struct candidates list;
	struct relay_err err;

	if (candidates_parse(pool->data + pool->answer.body,
		    pool->answer.body_len, &list, &err)) {
		fail(pool, RELAY_CLIENT_POOL, err.text);
		return;
	}
	list.nearest = pool->nearest;
	drop_stream(pool);
	(void)evtimer_del(pool->patience);
	pool->done(&list, NULL, pool->arg);
}

/* A redirection to another host, or another path. */
static int redirected_uri(struct pool *pool, struct relay_err *err)
{
	const struct http_answer *answer = &pool->answer;
	char text[CLIENT_URI_MAX + 1];
	enum client_uri_kind before = pool->uri.kind;

	if (!answer->location || answer->location_len > CLIENT_URI_MAX)
		return relay_fail(err, "it redirects to nowhere");
	memcpy(text, pool->data + answer->location, answer->location_len);
	text[answer->location_len] = '\0';
	if (text[0] == '/' && text[1] != '/') {
		for (const char *p = text; *p; p++) {
			if (*p <= ' ' || *p > '~')
				return relay_fail(
					err, "it redirects to nowhere");
		}
		memcpy(pool->uri.target, text, answer->location_len + 1);
		return 0;
	}
	if (client_uri_parse_web(text, &pool->uri, err))
		return -1;
	if (before == CLIENT_URI_HTTPS && pool->uri.kind == CLIENT_URI_HTTP)
		return relay_fail(err, "it redirects from https to http");
	return 0;
}

static void redirect(struct pool *pool)
{
	struct relay_err err;

	if (++pool->redirections > REDIRECTIONS_MAX) {
		fail(pool, RELAY_CLIENT_POOL, "it redirects too often");
		return;
	}
	if (redirected_uri(pool, &err)) {
		fail(pool, RELAY_CLIENT_POOL, err.text);
		return;
	}
	drop_stream(pool);
	if (begin(pool, &err))
		fail(pool, RELAY_CLIENT_LOCAL, err.text);
}

static void take_answer(struct pool *pool)
{
	struct relay_client_error why;

	switch (pool->answer.status) {
	case 200:
		take_list(pool);
		return;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		redirect(pool);
		return;
	default:
		client_error(&why, RELAY_CLIENT_POOL,
			"pool %s: it answers with status %d", pool->place,
			pool->answer.status);
		fail_with(pool, &why);
	}
}

static void judge_answer(struct pool *pool, bool ended)
{
	struct relay_err err;

	switch (http_answer_read(
		&pool->answer, pool->data, pool->len, ended, &err)) {
	case HTTP_MORE:
		return;
	case HTTP_BAD:
		fail(pool, RELAY_CLIENT_POOL, err.text);
		return;
	case HTTP_DONE:
		take_answer(pool);
	}
}

static void look(struct pool *pool, bool ended)
{
	struct evbuffer *in = bufferevent_get_input(pool->stream);
	size_t more = evbuffer_get_length(in);

	if (pool->len + more > ANSWER_MAX) {
		fail(pool, RELAY_CLIENT_POOL, "its answer is too long");
		return;
	}
	/* At least one byte, so that data is never NULL. */
	if (make_room(pool, more + 1)) {
		fail(pool, RELAY_CLIENT_LOCAL, "no memory for its answer");
		return;
	}
	pool->len +=
		bufferevent_read(pool->stream, pool->data + pool->len, more);
	judge_answer(pool, ended);
}

static void readable(struct bufferevent *stream, void *arg)
{
	(void)stream;
	look(arg, false);
}

/* Why TLS failed: the error of the certificate, or OpenSSL's text. */
static const char *tls_reason(struct pool *pool)
{
	const SSL *ssl = pool->uri.kind == CLIENT_URI_HTTPS
				 ? bufferevent_openssl_get_ssl(pool->stream)
				 : NULL;
	long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	unsigned long code = bufferevent_get_openssl_error(pool->stream);
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	if (reason)
		return reason;
	return errno ? strerror(errno) : "the connection ended";
}

static void connected(struct pool *pool)
{
	struct evbuffer *out = bufferevent_get_output(pool->stream);

	if (evbuffer_add_printf(out,
		    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: "
		    "relayclient\r\nAccept: application/json\r\n"
		    "Connection: close\r\n\r\n",
		    pool->uri.target, pool->place) < 0)
		fail(pool, RELAY_CLIENT_LOCAL, "no memory for the request");
}

static void happened(struct bufferevent *stream, short what, void *arg)
{
	struct pool *pool = arg;

	(void)stream;
	if (what & BEV_EVENT_CONNECTED)
		connected(pool);
	else if (what & BEV_EVENT_EOF)
		look(pool, true);
	else if (what & BEV_EVENT_ERROR)
		fail(pool,
			pool->uri.kind == CLIENT_URI_HTTPS ? RELAY_CLIENT_TLS
							   : RELAY_CLIENT_POOL,
			tls_reason(pool));
}

static SSL_CTX *pool_context(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_default_verify_paths(tls) == 1) {
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
		return tls;
	}
	SSL_CTX_free(tls);
	return NULL;
}

/* Sets the name or address that the certificate must have. */
static int expect_host(SSL *ssl, const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1 ||
		inet_pton(AF_INET6, host, &v6) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	/* OpenSSL's macro for this drops const, and clang warns about it. */
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		       TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) == 1;
}

static struct bufferevent *https_stream(struct pool *pool, int fd)
{
	struct relay_client *client = pool->client;
	struct bufferevent *stream;
	SSL *ssl;

	if (!client->pool_tls)
		client->pool_tls = pool_context();
	ssl = client->pool_tls ? SSL_new(client->pool_tls) : NULL;
	if (!ssl || expect_host(ssl, pool->uri.host) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	/* Now the stream owns the SSL. */
	stream = bufferevent_openssl_socket_new(client->base, fd, ssl,
		BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (!stream)
		SSL_free(ssl);
	else /* Many servers close without close_notify; the length of the body
		is checked instead. */
		bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

/* The target of a redirection may name no nearer addresses than its source. */
static void note_nearness(struct pool *pool, int fd)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(peer);
	enum nearness here = NEAR_NOBODY;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
		here = nearness_of((const struct sockaddr *)&peer);
	if (here < pool->nearest)
		pool->nearest = here;
}

static void dial_done(int fd, const struct relay_client_error *why, void *arg)
{
	struct pool *pool = arg;
	bool tls = pool->uri.kind == CLIENT_URI_HTTPS;

	if (fd < 0) {
		fail_with(pool, why);
		return;
	}
	note_nearness(pool, fd);
	pool->stream = tls ? https_stream(pool, fd)
			   : bufferevent_socket_new(pool->client->base, fd,
				     BEV_OPT_CLOSE_ON_FREE);
	if (!pool->stream) {
		(void)close(fd);
		fail(pool, RELAY_CLIENT_LOCAL, "no memory for a connection");
		return;
	}
	bufferevent_setcb(pool->stream, readable, NULL, happened, pool);
	if (bufferevent_enable(pool->stream, EV_READ | EV_WRITE))
		fail(pool, RELAY_CLIENT_LOCAL, "no memory for a connection");
	else if (!tls)
		connected(pool);
}

static const struct dial_handlers dial_handlers = {NULL, dial_done};

static int begin(struct pool *pool, struct relay_err *err)
{
	client_uri_place(&pool->uri, pool->place);
	pool->dial = dial_start(pool->client->base, pool->uri.host,
		pool->uri.port, pool->client->patience.dial_ms, &dial_handlers,
		pool, err);
	if (!pool->dial)
		return -1;
	dial_restrict(pool->dial, pool->nearest);
	return 0;
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, RELAY_CLIENT_TIMEOUT, "no list in time");
}

struct pool *pool_start(struct relay_client *client,
	const struct client_uri *uri, pool_fn *done, void *arg,
	struct relay_err *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct timeval t;

	if (!pool) {
		(void)relay_fail(err, "no memory for a pool");
		return NULL;
	}
	pool->client = client;
	pool->done = done;
	pool->arg = arg;
	pool->uri = *uri;
	pool->nearest = NEAR_MACHINE; /* what the user names is their choice */
	pool->patience = evtimer_new(client->base, out_of_patience, pool);
	if (!pool->patience ||
		evtimer_add(pool->patience,
			client_timeval(
				client->patience.answer_ms * PATIENCE_FACTOR,
				&t))) {
		(void)relay_fail(err, "no memory for a pool");
		pool_free(pool);
		return NULL;
	}
	if (begin(pool, err) == 0)
		return pool;
	pool_free(pool);
	return NULL;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	drop_stream(pool);
	if (pool->patience)
		event_free(pool->patience);
	free(pool);
}
