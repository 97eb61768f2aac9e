/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pool-join - registers this relay with relay pools, so that strangers can use
 * it.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "advise.h"
#include "ca_file.h"
#include "relay/service.h"
#include "pem.h"
#include "pem_pair.h"
#include "pools.h"
#include "report.h"

#define LOOK_MS      1000
#define DEFAULT_POOL "https://relays.syncthing.net/endpoint"

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, pools, const char *const *, "pools", RELAY_LIST,
		DEFAULT_POOL, 0, POOLS_MAX,
		"relay pools to join, comma-separated; empty keeps the relay "
		"private",
		.flag = "pools",
		.flags = RELAY_OPTION_GUARD | RELAY_OPTION_BASIC),
	RELAY_OPT(struct conf, bind, const char *, "bind", RELAY_STRING, "", 0,
		0, "source address of requests to pools"),
	RELAY_OPT(struct conf, ca_file, const char *, "ca-file", RELAY_STRING,
		"", 0, 0,
		"file of CA certificates to trust instead of the system's"),
	RELAY_OPT(struct conf, proxy, const char *, "proxy", RELAY_STRING, "",
		0, 0, "URL of the proxy for requests to pools",
		/* It may contain a password. */
		.flags = RELAY_OPTION_SECRET),
	RELAY_OPT(struct conf, timeout_ms, int64_t, "timeout", RELAY_DURATION,
		"30s", 1000, 600000, "how long a pool may take to answer"),
	RELAY_OPT_END};

/* Conditions for sending requests to pools. */

static const struct relay_service *find_relay(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, self);
}

static bool may_ask(struct relay_ctx *cx)
{
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	return relay && !relay->is_private(self) && !state_of(cx)->held;
}

static int64_t option_number(
	struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	return relay_option_get(cx, section, name, &value) == 0 ? value.number
								: 0;
}

/*
 * A pool tests the announced address.  While the gateway has not mapped a port
 * yet, the test would fail.
 */
static int64_t first_delay(struct relay_ctx *cx)
{
	if (!option_number(cx, "nat", "enabled"))
		return 0;
	return option_number(cx, "nat", "timeout") + 1000;
}

#define RULER                                                                  \
	"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"   \
	"!!!!!!!!!!"

/* A warning as clear as in the Go server, for the same reason. */
static void warn(const struct relay_ctx *cx)
{
	static const char *const lines[] = {
		RULER,
		"!!  This relay joins relay pools and becomes PUBLIC: "
		"strangers "
		"all over  !!",
		"!!  the world will use it, at the cost of your bandwidth.     "
		" "
		"          !!",
		"!!  Start it with -pools=\"\" to keep it private.             "
		" "
		"            !!",
		RULER,
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		relay_log(cx, RELAY_WARNING, "%s", lines[i]);
}

static void changed(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	if (may_ask(cx))
		pools_ask_all(cx, 0);
}

static void watch(struct relay_ctx *cx)
{
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	if (!relay)
		relay_log(cx, RELAY_ERROR,
			"joins no pool: the module relay does not run");
	else if (relay->watch(self, cx, changed) != 0)
		relay_log(cx, RELAY_WARNING,
			"pools will not be told when the address of the relay "
			"changes");
}

static bool has_pools(const struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	return conf->pools[0] != NULL;
}

/* Whether to send requests; logs once why not. */
static bool decide(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);
	bool was_private = state->is_private;

	state->is_private = relay && relay->is_private(self);
	if (state->is_private && has_pools(cx) && !was_private)
		relay_log(cx, RELAY_NOTICE,
			"joins no pool: a token is set, so this relay is "
			"private");
	if (may_ask(cx))
		return true;
	pools_rest(cx);
	return false;
}

/* The pool's check of a relay joins it, and gives up after 2 s. */
#define POOL_PATIENCE_MS 2000

static void warn_of_late_answers(struct relay_ctx *cx)
{
	struct relay_value timeout;

	if (relay_option_get(cx, NULL, "answer-timeout", &timeout) == 0 &&
		timeout.number > POOL_PATIENCE_MS)
		relay_log(cx, RELAY_WARNING,
			"answer-timeout is above 2s: the pool's check of this "
			"relay may fail while a module takes its time to "
			"decide");
}

/* Always log that the relay becomes public. */
static void go_public(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	warn_of_late_answers(cx);
	if (!state->warned)
		warn(cx);
	state->warned = true;
}

/* Whether the server accepts new devices: modules can close and open it. */
static int64_t look(struct relay_ctx *cx, void *arg)
{
	struct state *state = state_of(cx);
	const char *closed = relay_closed();
	bool moved = relay_draining() == RELAY_DRAIN_MOVE;
	bool held = closed || moved;

	(void)arg;
	pools_retry(cx);
	if (held == state->held)
		return LOOK_MS;
	state->held = held;
	if (!has_pools(cx))
		return LOOK_MS;
	if (held && !state->is_private)
		relay_log(cx, RELAY_NOTICE,
			"joins no pool while the server takes no newcomers: %s",
			moved ? "another process does" : closed);
	if (!decide(cx))
		return LOOK_MS;
	relay_log(cx, RELAY_NOTICE, "joins pools again");
	go_public(cx);
	pools_ask_all(cx, 0);
	return LOOK_MS;
}

static void ready(struct relay_ctx *cx)
{
	watch(cx);
	look(cx, NULL);
	if (!has_pools(cx)) {
		relay_log(cx, RELAY_INFO, "joins no pool: `pools` is empty");
		return;
	}
	if (!decide(cx))
		return;
	go_public(cx);
	pools_ask_all(cx, first_delay(cx));
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	return pools_prepare(cx, conf, err);
}

/* Now all modules have committed, relay among them. */
static void reload(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	if (!has_pools(cx) || !decide(cx)) {
		/* Log it again if it becomes public again. */
		state->warned &= state->held;
		return;
	}
	go_public(cx);
	/* The change may have fixed the reason of a refusal: retry. */
	pools_ask_failing(cx);
}

/* Start, reload, stop. */

static int check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	unsigned char address[16];
	struct relay_err why;

	for (const char *const *url = conf->pools; *url; url++)
		if (url_parse(*url, NULL, &why) != 0)
			return relay_fail(err, "pools: %s", why.text);
	if (conf->bind[0] && inet_pton(AF_INET, conf->bind, address) != 1 &&
		inet_pton(AF_INET6, conf->bind, address) != 1)
		return relay_fail(err,
			"bind is \"%.100s\"; write an IP address of this "
			"machine",
			conf->bind);
	return 0;
}

static void heard(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	if (state_of(cx)->requests)
		pools_hear(cx);
}

/*
 * Called by libevent; the rest runs as a call of the module, so that it is
 * timed.
 */
static void hear_soon(void *arg)
{
	if (relay_post(arg, RELAY_CONTROL, heard, NULL, 0) != 0)
		heard(arg, NULL);
}

static int load_identity(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);
	struct relay_value keys;

	if (relay_option_get(cx, NULL, "keys", &keys) != 0)
		return relay_fail(err, "the server has no option keys");
	if (pem_pair_load(cx, keys.string, &state->cert, &state->key, err) != 0)
		return -1;
	/* Delayed until a pool is used: hashing initializes much of OpenSSL. */
	if (!has_pools(cx) || pools_identify(cx, err) == 0)
		return 0;
	pem_forget(&state->cert);
	pem_forget(&state->key);
	return -1;
}

static int begin(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);

	(void)snprintf(state->agent, sizeof(state->agent), "strelaysrv/%s",
		relay_build()->version);
	state->requests =
		requests_new(relay_event_base(cx), hear_soon, cx, err);
	if (!state->requests)
		return -1;
	if (!relay_timer_add(cx, LOOK_MS, look, NULL))
		return relay_fail(err, "out of memory");
	return pools_prepare(cx, cx->conf, err);
}

static void finish(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	pools_finish(cx);
	requests_free(state->requests);
	state->requests = NULL;
	pem_forget(&state->cert);
	pem_forget(&state->key);
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	if (load_identity(cx, err) != 0)
		return -1;
	if (begin(cx, err) == 0) {
		pools_commit(cx);
		return 0;
	}
	finish(cx);
	return -1;
}

static void stop(struct relay_ctx *cx)
{
	struct relay_ctx *self;
	const struct relay_service *relay = find_relay(cx, &self);

	if (relay)
		relay->unwatch(self, cx);
	finish(cx);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("pool-join", "1.0",
		"joins relay pools, which makes this relay public"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.check = check,
	.init = report_init,
	.start = start,
	.ready = ready,
	.reload = reload,
	.stop = stop,
	.hooks = {.files_read = ca_file_read,
		.files_free = ca_file_free,
		.reload_prepare = reload_prepare,
		.reload_commit = pools_commit,
		.reload_abandon = pools_abandon,
		.advise = pools_advise},
};
