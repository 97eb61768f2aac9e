/* SPDX-License-Identifier: MPL-2.0 */

/* admission - asks a web service whether a device may join, or ask for another
 * one. */

#include <stdlib.h>

#include "asking.h"
#include "counts.h"
#include "data.h"
#include "decide.h"
#include "here.h"
#include "look.h"
#include "setup.h"
#include "shared/exempt.h"
#include "shared/module_order.h"
#include "shared/shown_url.h"
#include "shared/url.h"
#include "terms.h"

static const char *const dialects[] = {[DIALECT_OWN] = "own",
	[DIALECT_DERPER] = "derper",
	[DIALECT_IROH] = "iroh",
	[DIALECTS] = NULL};
static const char *const whats[] = {[WHAT_JOINS] = "joins",
	[WHAT_ASKS] = "asks",
	[WHAT_BOTH] = "both",
	[WHAT_BOTH + 1] = NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, url, const char *, "url", RELAY_STRING, "", 0,
		4000, "http(s) URL that is asked by POST; required",
		.flags = RELAY_OPTION_SECRET | RELAY_OPTION_FILLED),
	RELAY_OPT(struct conf, unix_socket, const char *, "unix-socket",
		RELAY_STRING, "", 0, 107,
		"path of the Unix socket to connect to, instead of the URL's "
		"host"),
	RELAY_OPT(struct conf, dialect, int64_t, "dialect", RELAY_CHOICE, "own",
		0, 0,
		"how questions and answers are written: own, derper "
		"(-verify-client-url), iroh (access.http)",
		.choices = dialects),
	RELAY_OPT(struct conf, what, int64_t, "what", RELAY_CHOICE, "both", 0,
		0,
		"what it is asked about: joins, asks (requests for a device), "
		"both",
		.choices = whats),
	RELAY_OPT(struct conf, connections, int64_t, "connections", RELAY_INT,
		"8", 1, 64, "most connections to it, and so requests at once"),
	RELAY_OPT(struct conf, queue, int64_t, "queue", RELAY_INT, "1024", 1,
		16384,
		"most questions that wait for a connection; a source may "
		"have a quarter of them"),
	RELAY_OPT(struct conf, timeout_ms, int64_t, "timeout", RELAY_DURATION,
		"1s", 10, 60000, "how long a request may take"),
	RELAY_OPT(struct conf, retries, int64_t, "retries", RELAY_INT, "1", 0,
		5, "how often a request that failed is made again"),
	RELAY_OPT(struct conf, breaker_failures, int64_t, "breaker-failures",
		RELAY_INT, "5", 1, 10000,
		"failures one after the other, after which it is not asked "
		"for a while"),
	RELAY_OPT(struct conf, breaker_ms, int64_t, "breaker-pause",
		RELAY_DURATION, "5s", 100, 3600000, "that while"),
	RELAY_OPT(struct conf, fail_open, bool, "fail-open", RELAY_BOOL, "no",
		0, 0, "whether who cannot be asked about is admitted"),
	RELAY_OPT(struct conf, cache, int64_t, "cache", RELAY_INT, "4096", 0,
		1000000, "most answers that are kept"),
	RELAY_OPT(struct conf, keep_ms, int64_t, "cache-for", RELAY_DURATION,
		"1m", 0, 604800000,
		"how long an answer counts that does not say"),
	RELAY_OPT(struct conf, token_file, const char *, "token-file",
		RELAY_STRING, "", 0, 4000,
		"a file with the bearer token for requests"),
	RELAY_OPT(struct conf, ca_file, const char *, "ca-file", RELAY_STRING,
		"", 0, 4000,
		"file of CA certificates to trust instead of the system's"),
	RELAY_OPT(struct conf, client_cert, const char *, "client-cert",
		RELAY_STRING, "", 0, 4000,
		"file with the certificate that requests are made with"),
	RELAY_OPT(struct conf, client_key, const char *, "client-key",
		RELAY_STRING, "", 0, 4000, "file with its private key"),
	RELAY_OPT_END};

static int check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;

	struct relay_err why;

	if (url_parse(conf->url, NULL, &why) != 0)
		return relay_fail(err, "url: %.200s", why.text);
	if (!conf->client_cert[0] != !conf->client_key[0])
		return relay_fail(
			err, "client-cert and client-key: name both or none");
	if (conf->unix_socket[0] && conf->unix_socket[0] != '/')
		return relay_fail(err, "unix-socket: write a full path");
	return 0;
}

static int64_t answer_timeout(struct relay_ctx *cx)
{
	struct relay_value value;

	return relay_option_get(cx, NULL, "answer-timeout", &value) == 0
		       ? value.number
		       : 1500;
}

static void read_answer_timeout(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	data->answer_ms = answer_timeout(cx);
}

static void advise(struct relay_ctx *cx, const void *values)
{
	const struct conf *conf = values;
	int64_t answer_ms = answer_timeout(cx);
	struct relay_err why;
	struct url url;

	module_order_advise(cx, "access", "admission",
		"the endpoint is asked about devices that access refuses, and "
		"is not told the name of a token");
	if (conf->timeout_ms >= answer_ms)
		relay_log(cx, RELAY_WARNING,
			"timeout is %lld ms, and answer-timeout of the server "
			"%lld ms: nobody waits for the end of a slow request; "
			"set timeout lower",
			(long long)conf->timeout_ms, (long long)answer_ms);
	if (conf->dialect != DIALECT_OWN && conf->what == WHAT_BOTH)
		relay_log(cx, RELAY_WARNING,
			"what is both: in the dialect %s joins and requests "
			"look the same to the endpoint; write what = joins",
			dialects[conf->dialect]);
	/* A token that is sent in the clear is everybody's. */
	if (conf->token_file[0] && !conf->unix_socket[0] &&
		url_parse(conf->url, &url, &why) == 0 && url.plain)
		relay_log(cx, RELAY_WARNING,
			"token-file: the token is sent without TLS; write "
			"https:// if the endpoint is on another machine");
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (counts_init(cx, err) != 0)
		return -1;
	if (id_hash_init() != 0 || pthread_mutex_init(&data->lock, NULL) != 0)
		return relay_fail(err, "no random numbers, or no mutex");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	const struct libcurl *curl = libcurl_get(err);
	struct setup *setup;

	if (!curl)
		return -1;
	if (exempt_read(cx, &data->exempt, err) != 0)
		return -1;
	setup = setup_new(cx->conf, relay_files(cx, cx->conf), err);
	if (!setup)
		return -1;
	read_answer_timeout(cx);
	data->asker =
		asker_start(cx, curl, setup, asking_told, asking_lost, err);
	setup_let_go(setup);
	if (!data->asker)
		return -1;
	if (!relay_timer_add(cx, 1, look_at_devices, NULL)) {
		asker_stop(data->asker);
		data->asker = NULL;
		return relay_fail(err, "out of memory");
	}
	return 0;
}

static void ready(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	char *url = shown_url(conf->url);

	relay_log(cx, RELAY_INFO, "asks %s about devices (dialect %s)%s",
		url ? url : "an endpoint", dialects[conf->dialect],
		conf->fail_open ? "; who cannot be asked about is admitted"
				: "");
	free(url);
	advise(cx, conf);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct data *data = cx->data;

	if (exempt_read(cx, &data->next_exempt, err) != 0)
		return -1;
	data->next = setup_new(conf, relay_files(cx, conf), err);
	if (data->next)
		return 0;
	ranges_free(&data->next_exempt);
	return -1;
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	struct ranges old;

	asker_use(data->asker, data->next);
	data->next = NULL;
	/* What it now has to say may be different. */
	pthread_mutex_lock(&data->lock);
	cache_clear(&data->cache);
	old = data->exempt;
	data->exempt = data->next_exempt;
	pthread_mutex_unlock(&data->lock);
	ranges_free(&old);
	data->next_exempt = (struct ranges){.count = 0};
	data->breaker = (struct breaker){.state = BREAKER_CLOSED};
}

static void reload_abandon(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	setup_let_go(data->next);
	data->next = NULL;
	ranges_free(&data->next_exempt);
}

static void reload(struct relay_ctx *cx)
{
	read_answer_timeout(cx);
	terms_apply_all(cx);
	advise(cx, cx->conf);
}

static void stop(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	asker_stop(data->asker);
	data->asker = NULL;
	look_at_the_end(cx);
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	cache_clear(&data->cache);
	ranges_free(&data->exempt);
	pthread_mutex_destroy(&data->lock);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"admission", "1.0", "asks a web service who may join or ask"),
	.options = options,
	.flags = RELAY_GUARD | RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.conn_size = sizeof(struct member),
	.session_size = sizeof(struct session_devices),
	.check = check,
	.init = init,
	.start = start,
	.ready = ready,
	.reload = reload,
	.stop = stop,
	.fini = fini,
	.worker_start = decide_worker_start,
	.hooks =
		{
			.peer_join = decide_peer_join,
			.peer_connect = decide_peer_connect,
			.peer_asked = decide_peer_asked,
			.peer_stay = decide_peer_stay,
			.session_open = decide_session_open,
			.session_sent = here_session_sent,
			.session_close = decide_session_close,
			.conn_settled = here_settled,
			.conn_close = decide_conn_close,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
			.files_read = setup_files_read,
			.files_free = setup_files_free,
			.advise = advise,
			.session_enter = here_session_enter,
		},
};
