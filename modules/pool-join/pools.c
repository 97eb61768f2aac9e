/* SPDX-License-Identifier: MPL-2.0 */

/* Each pool's schedule of requests. */

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "../relay/service.h"
#include "../shared/own_listener.h"
#include "../shared/random_number.h"
#include "../shared/shown_url.h"
#include "answer.h"
#include "pem.h"
#include "pools.h"
#include "report.h"

#define POOLS_URI 1536
/* Least time between two attempts, even if the URI changes often. */
#define GAP_MS 2000

static int64_t attempt(struct relay_ctx *cx, void *arg);

static const struct conf *conf_of(const struct relay_ctx *cx)
{
	return cx->conf;
}

/* Timing. */

static void unschedule(struct pool *pool)
{
	relay_timer_del(pool->timer);
	pool->timer = NULL;
	pool->next_ms = 0;
	pool->late = false;
}

static void schedule(struct relay_ctx *cx, struct pool *pool, int64_t ms)
{
	bool was_late = pool->late;

	unschedule(pool);
	pool->next_ms = relay_now_ms(cx) + ms;
	pool->timer = relay_timer_add(cx, ms, attempt, pool);
	pool->late = !pool->timer;
	if (pool->timer)
		return;
	pool->next_ms = 0;
	if (!was_late)
		relay_log(cx, RELAY_ERROR,
			"out of memory: cannot contact pool %s; tries again",
			pool->shown);
}

/* Plans a request after after_ms, but not before GAP_MS have passed since the
 * last one. */
static void ask(struct relay_ctx *cx, struct pool *pool, int64_t after_ms)
{
	int64_t earliest =
		pool->asked_ms ? pool->asked_ms + GAP_MS - relay_now_ms(cx) : 0;

	if (pool->request) {
		pool->stale = true;
		return;
	}
	if (pool->state == POOL_RESTING)
		pool->state = POOL_WAITING;
	schedule(cx, pool, after_ms > earliest ? after_ms : earliest);
}

/* Results. */

static enum pool_state state_after(enum plan_outcome outcome)
{
	return outcome == PLAN_JOINED      ? POOL_JOINED
	       : outcome == PLAN_UNREACHED ? POOL_UNREACHED
					   : POOL_REFUSED;
}

static void judge(struct relay_ctx *cx, struct pool *pool,
	const struct request_result *result)
{
	const struct plan_answer answer = {.status = result->status,
		.body = result->body,
		.len = result->len,
		.cut = result->cut};
	struct plan_next next =
		plan_after(&pool->plan, &answer, random_number());

	report_outcome(cx, next.outcome);
	answer_log(cx, pool, result, &next);
	answer_note(pool, result, next.outcome);
	pool->status = result->status;
	pool->state = state_after(next.outcome);
	if (next.outcome == PLAN_JOINED)
		pool->evict_ms = relay_now_ms(cx) + next.keep_ms;
	schedule(cx, pool, next.delay_ms);
	if (pool->stale) {
		pool->stale = false;
		ask(cx, pool, 0);
	}
}

void pools_hear(struct relay_ctx *cx)
{
	struct request_result result;
	struct request *request;

	while ((request = request_take(state_of(cx)->requests)) != NULL) {
		struct pool *pool = request_owner(request);

		request_result(request, &result);
		pool->request = NULL;
		judge(cx, pool, &result);
		request_end(request);
	}
}

/* Requests. */

/* Of the host in a URI; AF_UNSPEC: it is a name, or nobody. */
static int family_of(const char *uri)
{
	const char *host = uri + strlen("relay://");

	if (*host == '[')
		return AF_INET6;
	return strncmp(host, "0.0.0.0:", strlen("0.0.0.0:")) != 0 &&
			       host[strspn(host, "0123456789.")] == ':'
		       ? AF_INET
		       : AF_UNSPEC;
}

static bool names(const char *uri, const char *host)
{
	const char *in_uri = uri + strlen("relay://");
	size_t len = strlen(host);

	in_uri += *in_uri == '[';
	return strncmp(in_uri, host, len) == 0 &&
	       (in_uri[len] == ':' || in_uri[len] == ']');
}

/* If the listen address that the URI names is specific, send requests from it,
 * so that pools see it.  One for proxies may not lead to other machines. */
static void listen_host(
	struct relay_ctx *cx, const char *uri, char *out, size_t cap)
{
	struct sockaddr_storage addr;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	bool any;

	out[0] = '\0';
	if (!own_listener_serves_clients(cx) ||
		own_listener_find(family_of(uri), &addr) < 0)
		return;
	memcpy(&v4, &addr, sizeof(v4));
	memcpy(&v6, &addr, sizeof(v6));
	any = addr.ss_family == AF_INET
		      ? v4.sin_addr.s_addr == htonl(INADDR_ANY)
		      : IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
	if (!any && getnameinfo((const struct sockaddr *)&addr, sizeof(addr),
			    out, (socklen_t)cap, NULL, 0, NI_NUMERICHOST) != 0)
		out[0] = '\0';
	if (own_listener_is_loopback(&addr) && !names(uri, out))
		out[0] = '\0';
}

static int find_uri(
	struct relay_ctx *cx, char out[POOLS_URI], struct relay_err *err)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);

	if (!relay)
		return relay_fail(err, "the module relay does not run");
	if (relay->uri(self, out, POOLS_URI) != 0)
		return relay_fail(err, "the relay has no URI yet");
	return 0;
}

int pools_identify(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);
	struct relay_value keys = {.string = "?"};
	uint8_t id[RELAY_DEVICE_ID_LEN];

	if (!state->identified)
		state->identified =
			pem_identify(&state->cert, id) == 0 &&
			memcmp(id, relay_server_id(), sizeof(id)) == 0;
	if (state->identified)
		return 0;
	(void)relay_option_get(cx, NULL, "keys", &keys);
	return relay_fail(err,
		"%.150s/cert.pem is not what this relay runs with; pools need "
		"a restart, or the file that was there",
		keys.string);
}

static int send_request(
	struct relay_ctx *cx, struct pool *pool, struct relay_err *err)
{
	struct state *state = state_of(cx);
	const struct conf *conf = conf_of(cx);
	char host[NI_MAXHOST], uri[POOLS_URI], body[POOLS_URI + 16];
	struct request_conf request = {
		.url = pool->url,
		.body = body,
		.agent = state->agent,
		.bind = conf->bind,
		.ca = relay_files(cx, conf),
		.ca_alone = conf->ca_file[0] != 0,
		.proxy = conf->proxy,
		.timeout_ms = conf->timeout_ms,
		.cert = &state->cert,
		.key = &state->key,
	};

	if (pools_identify(cx, err) != 0 || find_uri(cx, uri, err) != 0)
		return -1;
	if (!conf->bind[0]) {
		listen_host(cx, uri, host, sizeof(host));
		request.bind = host;
	}
	/* The URI needs no escapes: it contains only characters that JSON
	 * allows. */
	(void)snprintf(body, sizeof(body), "{\"url\": \"%s\"}", uri);
	pool->request = request_post(state->requests, &request, pool, err);
	return pool->request ? 0 : -1;
}

static int64_t attempt(struct relay_ctx *cx, void *arg)
{
	struct pool *pool = arg;
	struct request_result failed = {.status = 0, .body = ""};
	struct relay_err err;

	/* The timer is removed when this call returns. */
	pool->timer = NULL;
	pool->next_ms = 0;
	pool->asked_ms = relay_now_ms(cx);
	pool->stale = false;
	if (send_request(cx, pool, &err) == 0) {
		pool->state = POOL_JOINING;
		return 0;
	}
	failed.kind = "could not ask it";
	(void)snprintf(failed.error, sizeof(failed.error), "%s", err.text);
	judge(cx, pool, &failed);
	return 0;
}

/* The list. */

static void leave(struct pool *pool)
{
	unschedule(pool);
	request_end(pool->request);
	pool->request = NULL;
	free(pool->url);
	free(pool->shown);
	memset(pool, 0, sizeof(*pool));
}

/* Whether a URL is among them, before `end`; NULL: anywhere. */
static bool is_wanted(
	const char *const *urls, const char *url, const char *const *end)
{
	for (; *urls && urls != end; urls++)
		if (strcmp(*urls, url) == 0)
			return true;
	return false;
}

static bool is_there(const struct state *state, const char *url)
{
	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state->pools[i].url &&
			strcmp(state->pools[i].url, url) == 0)
			return true;
	return false;
}

void pools_warn_of(const struct relay_ctx *cx, const char *text)
{
	struct url url;

	if (url_parse(text, &url, NULL) != 0)
		return;
	if (url.plain)
		relay_log(cx, RELAY_WARNING,
			"pool %s is asked without TLS: whoever is on the way "
			"can read and change what is said, and the pool has no "
			"proof that this relay is the one that it names; write "
			"https:// if the pool takes it",
			url.place);
	if (url.secret)
		relay_log(cx, RELAY_WARNING,
			"the URL of pool %s has a user, password or query in "
			"it; messages and /status leave it out, but the list "
			"of processes shows flags to every user of the "
			"machine",
			url.place);
}

/* Owns both.  There is a free entry, because the option has no more values. */
static void add(struct relay_ctx *cx, char *url, char *shown)
{
	struct pool *pool = state_of(cx)->pools;

	while (pool->url)
		pool++;
	pool->url = url;
	pool->shown = shown;
	pools_warn_of(cx, url);
}

int pools_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err)
{
	struct state *state = state_of(cx);
	size_t count = 0;

	for (const char *const *url = conf->pools; *url; url++) {
		if (is_there(state, *url) || is_wanted(conf->pools, *url, url))
			continue;
		state->next[count] = strdup(*url);
		state->next_shown[count] = shown_url(*url);
		if (!state->next[count] || !state->next_shown[count]) {
			pools_abandon(cx);
			return relay_fail(err, "out of memory");
		}
		count++;
	}
	if (report_load(cx, conf, err) == 0)
		return 0;
	pools_abandon(cx);
	return -1;
}

void pools_abandon(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	for (size_t i = 0; i < POOLS_MAX; i++) {
		free(state->next[i]);
		free(state->next_shown[i]);
		state->next[i] = state->next_shown[i] = NULL;
	}
}

/* Entries must not move, because timers and requests point to them. */
void pools_commit(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	const char *const *urls = conf_of(cx)->pools;

	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state->pools[i].url &&
			!is_wanted(urls, state->pools[i].url, NULL))
			leave(&state->pools[i]);
	for (size_t i = 0; i < POOLS_MAX && state->next[i]; i++) {
		add(cx, state->next[i], state->next_shown[i]);
		state->next[i] = state->next_shown[i] = NULL;
	}
}

void pools_retry(struct relay_ctx *cx)
{
	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state_of(cx)->pools[i].late)
			schedule(cx, &state_of(cx)->pools[i], 0);
}

void pools_ask_all(struct relay_ctx *cx, int64_t after_ms)
{
	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state_of(cx)->pools[i].url)
			ask(cx, &state_of(cx)->pools[i], after_ms);
}

void pools_ask_failing(struct relay_ctx *cx)
{
	for (size_t i = 0; i < POOLS_MAX; i++) {
		struct pool *pool = &state_of(cx)->pools[i];

		if (pool->url && pool->state != POOL_JOINED &&
			pool->state != POOL_JOINING)
			ask(cx, pool, 0);
	}
}

void pools_rest(struct relay_ctx *cx)
{
	for (size_t i = 0; i < POOLS_MAX; i++) {
		struct pool *pool = &state_of(cx)->pools[i];

		if (!pool->url)
			continue;
		unschedule(pool);
		request_end(pool->request);
		pool->request = NULL;
		pool->state = POOL_RESTING;
	}
}

void pools_finish(struct relay_ctx *cx)
{
	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state_of(cx)->pools[i].url)
			leave(&state_of(cx)->pools[i]);
}
