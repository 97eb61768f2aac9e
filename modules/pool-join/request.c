/* SPDX-License-Identifier: MPL-2.0 */

/* HTTP requests: libcurl's multi interface on libevent. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/curl_loop.h"
#include "request.h"

struct requests {
	struct event_base *base; /* borrowed */
	/* Both are set with the first request. */
	const struct libcurl *curl;
	struct curl_loop loop;
	struct request *ended; /* finished requests that were not taken yet */
	requests_ready_fn *ready;
	void *arg;
};

struct request {
	struct requests *all;
	struct request *next; /* in `ended` */
	struct curl_loop_job job;
	CURL *easy; /* owned, as is the next */
	struct curl_slist *headers;
	void *owner;
	CURLcode code;
	bool too_long;
	size_t len;
	char why[CURL_ERROR_SIZE];
	char body[REQUEST_BODY];
};

static void ended(void *arg, void *transfer, CURLcode code)
{
	struct requests *all = arg;
	struct request *request = transfer;

	request->code = code;
	request->next = all->ended;
	all->ended = request;
	all->ready(all->arg);
}

struct requests *requests_new(struct event_base *base, requests_ready_fn *ready,
	void *arg, struct relay_err *err)
{
	struct requests *all = calloc(1, sizeof(*all));

	if (all) {
		all->base = base;
		all->ready = ready;
		all->arg = arg;
		return all;
	}
	relay_fail(err, "out of memory");
	return NULL;
}

void requests_free(struct requests *all)
{
	if (!all)
		return;
	curl_loop_close(&all->loop);
	free(all);
}

/* requests_free() frees what was created. */
static int set_up(struct requests *all, struct relay_err *err)
{
	const struct libcurl *curl;

	if (curl_loop_is_open(&all->loop))
		return 0;
	curl = libcurl_get(err);
	if (!curl)
		return -1;
	all->curl = curl;
	return curl_loop_open(&all->loop, all->base, curl, ended, all) == 0
		       ? 0
		       : relay_fail(err, "cannot set libcurl up");
}

/* One request. */

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct request *request = arg;
	size_t len = size * count, room = sizeof(request->body) - request->len;

	if (len > room) {
		request->too_long = true;
		memcpy(request->body + request->len, data, room);
		request->len += room;
		return 0;
	}
	memcpy(request->body + request->len, data, len);
	request->len += len;
	return len;
}

/* The first option that libcurl refuses stops the sequence. */
#define SET(option, value)                                                     \
	((code = request->all->curl->easy_setopt(                              \
		  request->easy, option, value)) == CURLE_OK)

static CURLcode set_common(struct request *request)
{
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_PRIVATE, request) &&
		SET(CURLOPT_ERRORBUFFER, request->why) &&
		SET(CURLOPT_WRITEFUNCTION, take_body) &&
		SET(CURLOPT_WRITEDATA, request) &&
		SET(CURLOPT_HEADERFUNCTION, curl_loop_header) &&
		SET(CURLOPT_HEADERDATA, &request->job) &&
		SET(CURLOPT_NOSIGNAL, 1L) &&
		SET(CURLOPT_PROTOCOLS_STR, "https,http") &&
		SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
		SET(CURLOPT_FORBID_REUSE, 1L) &&
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
		SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
		SET(CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
		/* Without this, cancelling waits for a silent name server. */
		SET(CURLOPT_QUICK_EXIT, 1L));
	return code;
}

static CURLcode set_bind(struct request *request, const char *address)
{
	char text[80];
	struct in6_addr v6;
	bool is_v6 = inet_pton(AF_INET6, address, &v6) == 1;
	CURLcode code = CURLE_OK;

	(void)snprintf(text, sizeof(text), "host!%s", address);
	(void)(SET(CURLOPT_INTERFACE, text) &&
		SET(CURLOPT_IPRESOLVE, is_v6 ? (long)CURL_IPRESOLVE_V6
					     : (long)CURL_IPRESOLVE_V4));
	return code;
}

static CURLcode set_pem(struct request *request, CURLoption option,
	const struct request_pem *pem)
{
	struct curl_blob blob = {
		.data = pem->data, .len = pem->len, .flags = CURL_BLOB_COPY};
	CURLcode code;

	(void)SET(option, &blob);
	return code;
}

/* The environment's files and directories each replace the system's, as in
 * programs in Go and in OpenSSL's own. */
static CURLcode set_ca(struct request *request, const struct request_conf *conf)
{
	const char *folders = getenv("SSL_CERT_DIR");
	CURLcode code = CURLE_OK;

	if (conf->ca) {
		const struct request_pem pem = {
			.data = conf->ca->text, .len = conf->ca->size};

		code = set_pem(request, CURLOPT_CAINFO_BLOB, &pem);
	}
	if (!code && conf->ca_alone)
		(void)SET(CURLOPT_CAPATH, NULL);
	else if (!code && folders && *folders)
		(void)SET(CURLOPT_CAPATH, folders);
	return code;
}

static CURLcode set_conf(
	struct request *request, const struct request_conf *conf)
{
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_URL, conf->url) &&
		SET(CURLOPT_HTTPHEADER, request->headers) &&
		SET(CURLOPT_COPYPOSTFIELDS, conf->body) &&
		SET(CURLOPT_USERAGENT, conf->agent) &&
		SET(CURLOPT_TIMEOUT_MS, (long)conf->timeout_ms));
	if (!code)
		code = set_ca(request, conf);
	if (!code && conf->proxy[0])
		(void)SET(CURLOPT_PROXY, conf->proxy);
	if (!code && conf->bind[0])
		code = set_bind(request, conf->bind);
	if (!code)
		code = set_pem(request, CURLOPT_SSLCERT_BLOB, conf->cert);
	if (!code)
		code = set_pem(request, CURLOPT_SSLKEY_BLOB, conf->key);
	return code;
}

static struct curl_slist *make_headers(const struct libcurl *curl)
{
	struct curl_slist *list =
		curl->slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *whole;

	/*
	 * Pools do not support "Expect", and waiting for its answer takes a
	 * second.
	 */
	whole = list ? curl->slist_append(list, "Expect:") : NULL;
	if (!whole)
		curl->slist_free_all(list);
	return whole;
}

static struct request *request_new(
	struct requests *all, void *owner, struct relay_err *err)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request) {
		request->all = all;
		request->owner = owner;
		request->headers = make_headers(all->curl);
		request->easy = all->curl->easy_init();
		if (request->headers && request->easy)
			return request;
		request_end(request);
	}
	relay_fail(err, "out of memory");
	return NULL;
}

struct request *request_post(struct requests *all,
	const struct request_conf *conf, void *owner, struct relay_err *err)
{
	struct request *request;
	CURLcode code;

	if (set_up(all, err) != 0)
		return NULL;
	request = request_new(all, owner, err);
	if (!request)
		return NULL;
	code = set_common(request);
	if (!code)
		code = set_conf(request, conf);
	if (code || curl_loop_begin(&all->loop, &request->job, request->easy) !=
			    0) {
		relay_fail(err, "cannot set the request up: %s",
			all->curl->easy_strerror(
				code ? code : CURLE_OUT_OF_MEMORY));
		request_end(request);
		return NULL;
	}
	return request;
}

struct request *request_take(struct requests *all)
{
	struct request *request = all->ended;

	if (request)
		all->ended = request->next;
	return request;
}

void *request_owner(const struct request *request)
{
	return request->owner;
}

static void tell_local(const struct request *request, char *out, size_t cap)
{
	const struct libcurl *curl = request->all->curl;
	CURL *easy = request->easy;
	char *ip = NULL;
	long port = 0;

	out[0] = '\0';
	if (curl->easy_getinfo(easy, CURLINFO_LOCAL_IP, &ip) == CURLE_OK &&
		ip && ip[0] &&
		curl->easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port) ==
			CURLE_OK)
		(void)snprintf(out, cap,
			strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
}

void request_result(const struct request *request, struct request_result *out)
{
	const struct libcurl *curl = request->all->curl;

	memset(out, 0, sizeof(*out));
	if (curl->easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE,
		    &out->status) != CURLE_OK)
		out->status = 0;
	/* A truncated answer counts as no answer. */
	if (request->code != CURLE_OK && !request->too_long)
		out->status = 0;
	out->body = request->body;
	out->len = request->len;
	out->cut = request->code != CURLE_OK;
	out->kind = curl->easy_strerror(request->code);
	tell_local(request, out->local, sizeof(out->local));
	if (request->too_long)
		(void)snprintf(out->error, sizeof(out->error),
			"the answer has more than %d bytes", REQUEST_BODY);
	else if (request->job.headers_too_long)
		(void)snprintf(out->error, sizeof(out->error),
			"the headers have more than %d bytes",
			CURL_LOOP_HEADERS_MOST);
	else if (request->code != CURLE_OK)
		(void)snprintf(out->error, sizeof(out->error), "%s",
			request->why[0] ? request->why
					: curl->easy_strerror(request->code));
}

void request_end(struct request *request)
{
	const struct libcurl *curl;
	struct request **at;

	if (!request)
		return;
	curl = request->all->curl;
	for (at = &request->all->ended; *at; at = &(*at)->next)
		if (*at == request) {
			*at = request->next;
			break;
		}
	curl_loop_end(&request->all->loop, &request->job);
	if (request->easy)
		curl->easy_cleanup(request->easy);
	curl->slist_free_all(request->headers);
	free(request);
}
