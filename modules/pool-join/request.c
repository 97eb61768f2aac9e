/* SPDX-License-Identifier: MPL-2.0 */

/* HTTP requests: libcurl's multi interface on libevent. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "request.h"

struct requests {
	struct event_base *base; /* borrowed */
	CURLM *multi;            /* owned, as is the next */
	struct event *timer;
	struct request *ended; /* borrowed by whoever waits to take them */
	requests_ready_fn *ready;
	void *arg;
};

struct request {
	struct requests *all;
	struct request *next; /* in `ended` */
	CURL *easy;           /* owned, as is the next */
	struct curl_slist *headers;
	void *owner;
	CURLcode code;
	bool too_long;
	size_t len;
	char why[CURL_ERROR_SIZE];
	char body[REQUEST_BODY];
};

/* The loop. */

static void collect(struct requests *all)
{
	CURLMsg *msg;
	int left;
	bool any = false;

	while ((msg = curl_multi_info_read(all->multi, &left)) != NULL) {
		struct request *request = NULL;

		if (msg->msg != CURLMSG_DONE ||
			curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
				&request) != CURLE_OK ||
			!request)
			continue;
		request->code = msg->data.result;
		request->next = all->ended;
		all->ended = request;
		any = true;
	}
	if (any)
		all->ready(all->arg);
}

static void socket_event(evutil_socket_t fd, short what, void *arg)
{
	struct requests *all = arg;
	int running, flags = 0;

	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(all->multi, fd, flags, &running);
	collect(all);
}

static void timer_event(evutil_socket_t fd, short what, void *arg)
{
	struct requests *all = arg;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(
		all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(all);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct requests *all = arg;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)multi;
	return ms < 0 ? event_del(all->timer) : event_add(all->timer, &tv);
}

static int set_socket(
	CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct requests *all = arg;
	struct event *event = assigned;
	short flags = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	if (what == CURL_POLL_REMOVE)
		return curl_multi_assign(all->multi, fd, NULL) ? -1 : 0;
	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	event = event_new(all->base, fd, flags, socket_event, all);
	/* Without it the request ends by its timeout. */
	if (event && event_add(event, NULL) != 0) {
		event_free(event);
		event = NULL;
	}
	return curl_multi_assign(all->multi, fd, event) || !event ? -1 : 0;
}

struct requests *requests_new(struct event_base *base, requests_ready_fn *ready,
	void *arg, struct relay_err *err)
{
	struct requests *all = calloc(1, sizeof(*all));

	if (!all) {
		relay_fail(err, "out of memory");
		return NULL;
	}
	all->base = base;
	all->ready = ready;
	all->arg = arg;
	all->multi = curl_multi_init();
	all->timer = evtimer_new(base, timer_event, all);
	if (!all->multi || !all->timer ||
		curl_multi_setopt(
			all->multi, CURLMOPT_SOCKETFUNCTION, set_socket) ||
		curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all) ||
		curl_multi_setopt(
			all->multi, CURLMOPT_TIMERFUNCTION, set_timer) ||
		curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all)) {
		relay_fail(err, "cannot set libcurl up");
		requests_free(all);
		return NULL;
	}
	return all;
}

void requests_free(struct requests *all)
{
	if (!all)
		return;
	if (all->multi)
		(void)curl_multi_cleanup(all->multi);
	if (all->timer)
		event_free(all->timer);
	free(all);
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

/* The first option that libcurl refuses ends the chain. */
#define SET(option, value)                                                     \
	((code = curl_easy_setopt(easy, option, value)) == CURLE_OK)

static CURLcode set_common(struct request *request)
{
	CURL *easy = request->easy;
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_PRIVATE, request) &&
		SET(CURLOPT_ERRORBUFFER, request->why) &&
		SET(CURLOPT_WRITEFUNCTION, take_body) &&
		SET(CURLOPT_WRITEDATA, request) && SET(CURLOPT_NOSIGNAL, 1L) &&
		SET(CURLOPT_PROTOCOLS_STR, "https,http") &&
		SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
		SET(CURLOPT_FORBID_REUSE, 1L) &&
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
		SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
		SET(CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
		/* Else giving up waits for a name server that is silent. */
		SET(CURLOPT_QUICK_EXIT, 1L));
	return code;
}

static CURLcode set_bind(CURL *easy, const char *address)
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

static CURLcode set_pem(
	CURL *easy, CURLoption option, const struct request_pem *pem)
{
	struct curl_blob blob = {
		.data = pem->data, .len = pem->len, .flags = CURL_BLOB_COPY};
	CURLcode code;

	(void)SET(option, &blob);
	return code;
}

static CURLcode set_conf(
	struct request *request, const struct request_conf *conf)
{
	CURL *easy = request->easy;
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_URL, conf->url) &&
		SET(CURLOPT_HTTPHEADER, request->headers) &&
		SET(CURLOPT_COPYPOSTFIELDS, conf->body) &&
		SET(CURLOPT_USERAGENT, conf->agent) &&
		SET(CURLOPT_TIMEOUT_MS, (long)conf->timeout_ms));
	if (!code && conf->ca_file[0])
		(void)(SET(CURLOPT_CAINFO, conf->ca_file) &&
			SET(CURLOPT_CAPATH, NULL));
	if (!code && conf->proxy[0])
		(void)SET(CURLOPT_PROXY, conf->proxy);
	if (!code && conf->bind[0])
		code = set_bind(easy, conf->bind);
	if (!code)
		code = set_pem(easy, CURLOPT_SSLCERT_BLOB, conf->cert);
	if (!code)
		code = set_pem(easy, CURLOPT_SSLKEY_BLOB, conf->key);
	return code;
}

static struct curl_slist *make_headers(void)
{
	struct curl_slist *list =
		curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *whole;

	/* No pool knows "Expect", and waiting for it takes a second. */
	whole = list ? curl_slist_append(list, "Expect:") : NULL;
	if (!whole)
		curl_slist_free_all(list);
	return whole;
}

static struct request *request_new(
	struct requests *all, void *owner, struct relay_err *err)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request) {
		request->all = all;
		request->owner = owner;
		request->headers = make_headers();
		request->easy = curl_easy_init();
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
	struct request *request = request_new(all, owner, err);
	CURLcode code;

	if (!request)
		return NULL;
	code = set_common(request);
	if (!code)
		code = set_conf(request, conf);
	if (code || curl_multi_add_handle(all->multi, request->easy)) {
		relay_fail(err, "cannot set the request up: %s",
			curl_easy_strerror(code));
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

static void tell_local(CURL *easy, char *out, size_t cap)
{
	char *ip = NULL;
	long port = 0;

	out[0] = '\0';
	if (curl_easy_getinfo(easy, CURLINFO_LOCAL_IP, &ip) == CURLE_OK && ip &&
		ip[0] &&
		curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port) == CURLE_OK)
		(void)snprintf(out, cap,
			strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
}

void request_result(const struct request *request, struct request_result *out)
{
	memset(out, 0, sizeof(*out));
	if (curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE,
		    &out->status) != CURLE_OK)
		out->status = 0;
	/* Half an answer is none. */
	if (request->code != CURLE_OK && !request->too_long)
		out->status = 0;
	out->body = request->body;
	out->len = request->len;
	out->cut = request->code != CURLE_OK;
	out->kind = curl_easy_strerror(request->code);
	tell_local(request->easy, out->local, sizeof(out->local));
	if (request->too_long)
		(void)snprintf(out->error, sizeof(out->error),
			"the answer has more than %d bytes", REQUEST_BODY);
	else if (request->code != CURLE_OK)
		(void)snprintf(out->error, sizeof(out->error), "%s",
			request->why[0] ? request->why
					: curl_easy_strerror(request->code));
}

void request_end(struct request *request)
{
	struct request **at;

	if (!request)
		return;
	for (at = &request->all->ended; *at; at = &(*at)->next)
		if (*at == request) {
			*at = request->next;
			break;
		}
	if (request->easy) {
		(void)curl_multi_remove_handle(
			request->all->multi, request->easy);
		curl_easy_cleanup(request->easy);
	}
	curl_slist_free_all(request->headers);
	free(request);
}
