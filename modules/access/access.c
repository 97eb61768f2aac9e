/* SPDX-License-Identifier: MPL-2.0 */

/* access - who may connect, join, request a device and be requested. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/module.h>

#include "rules.h"
#include "tokens.h"

/* The lists, each as an allow list and a deny list. */
enum { WHO_CONNECTS, WHO_JOINS, WHO_ASKS, WHO_IS_ASKED, LISTS };
enum { ALLOW, DENY, HALVES };

struct conf {
	const char *const *lists[LISTS][HALVES];
	const char *const *tokens;
	const char *token_file;
};

enum { REASON_ADDRESS, REASON_TOKEN, REASON_JOIN, REASON_ASK, REASON_TARGET };

static const char *const reasons[] = {
	[REASON_ADDRESS] = "address",
	[REASON_TOKEN] = "token",
	[REASON_JOIN] = "join",
	[REASON_ASK] = "ask",
	[REASON_TARGET] = "target",
	[REASON_TARGET + 1] = NULL,
};

#define LOOK_MS  1000
#define WATCH_MS 60000

/* The rules: a new set is built completely, then replaces the last. */
struct policy {
	struct rules rules[LISTS][HALVES];
	struct tokens tokens;
};

/* Shared by all threads. */
struct data {
	pthread_mutex_t lock;
	struct policy *policy;  /* owned */
	struct policy *next;    /* owned; prepared by a reload, [C] */
	int64_t watch_until_ms; /* [C] */
	struct relay_metric *refused;
};

#define LIST(who, half, name, help)                                            \
	RELAY_OPT(struct conf, lists[who][half], const char *const *, name,    \
		RELAY_LIST, "", 0, 0, help, .flags = RELAY_OPTION_FILLED)

static const struct relay_option options[] = {
	LIST(WHO_CONNECTS, ALLOW, "connect-allow",
		"addresses that may connect; empty: all"),
	LIST(WHO_CONNECTS, DENY, "connect-deny",
		"addresses whose connections are closed at once"),
	LIST(WHO_JOINS, ALLOW, "join-allow",
		"device IDs and addresses that may join; empty: all"),
	LIST(WHO_JOINS, DENY, "join-deny",
		"device IDs and addresses that may not join"),
	LIST(WHO_ASKS, ALLOW, "ask-allow",
		"device IDs and addresses that may request a device; empty: "
		"all"),
	LIST(WHO_ASKS, DENY, "ask-deny",
		"device IDs and addresses that may not request a device"),
	LIST(WHO_IS_ASKED, ALLOW, "reach-allow",
		"device IDs that may be requested; empty: all"),
	LIST(WHO_IS_ASKED, DENY, "reach-deny",
		"device IDs that may not be requested"),
	RELAY_OPT(struct conf, tokens, const char *const *, "tokens",
		RELAY_LIST, "", 0, 0,
		"tokens, one of which a device needs to join; empty: no token "
		"is needed",
		.flags = RELAY_OPTION_SECRET | RELAY_OPTION_FILLED),
	RELAY_OPT(struct conf, token_file, const char *, "token-file",
		RELAY_STRING, "", 0, 0,
		"a file with one token per line, read again at a reload",
		.flags = RELAY_OPTION_FILLED),
	RELAY_OPT_END};

static const struct relay_metric_def refused = {
	.name = "refused",
	.unit = "",
	.kind = RELAY_COUNTER,
	.label = "reason",
	.values = reasons,
	.help = "Connections, joins and requests that were refused, by what "
		"refused them.",
};

static void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			rules_free(&policy->rules[list][half]);
	tokens_free(&policy->tokens);
	free(policy);
}

static const char *name_of(int list, int half)
{
	return options[list * HALVES + half].name;
}

/* Before the first is read, so that they need not be waited for one by one. */
static void look_at_files(const struct conf *conf)
{
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			rules_look(conf->lists[list][half]);
	if (conf->token_file[0])
		relay_file_look(conf->token_file);
}

static int policy_fill(
	struct policy *policy, const struct conf *conf, struct relay_err *err)
{
	static const unsigned kinds[LISTS] = {
		[WHO_CONNECTS] = RULES_ADDRESSES,
		[WHO_JOINS] = RULES_IDS | RULES_ADDRESSES,
		[WHO_ASKS] = RULES_IDS | RULES_ADDRESSES,
		[WHO_IS_ASKED] = RULES_IDS,
	};
	static const unsigned halves[HALVES] = {[ALLOW] = RULES_NOT_NONE};

	look_at_files(conf);
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			if (rules_read(&policy->rules[list][half],
				    name_of(list, half),
				    conf->lists[list][half],
				    kinds[list] | halves[half], err) != 0)
				return -1;
	return tokens_read(
		&policy->tokens, conf->tokens, conf->token_file, err);
}

static struct policy *policy_make(
	const struct conf *conf, struct relay_err *err)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		relay_fail(err, "out of memory");
	else if (policy_fill(policy, conf, err) == 0)
		return policy;
	policy_free(policy);
	return NULL;
}

/*
 * What check() has read is what comes into force: a file that is written anew
 * between the two is the next reload's.  Global, since
 * check() gets no context.  [C]
 */
static struct {
	const void *conf;      /* whose; compared only */
	struct policy *policy; /* owned */
} checked;

/* What is only checked, by -check, is never loaded. */
__attribute__((destructor)) static void forget_checked(void)
{
	policy_free(checked.policy);
	checked.policy = NULL;
}

static int check(const void *values, struct relay_err *err)
{
	policy_free(checked.policy);
	checked.conf = values;
	checked.policy = policy_make(values, err);
	return checked.policy ? 0 : -1;
}

static struct policy *take_checked(
	const struct conf *conf, struct relay_err *err)
{
	struct policy *policy = checked.policy;

	if (!policy || checked.conf != conf)
		return policy_make(conf, err);
	checked.policy = NULL;
	return policy;
}

static void put_in_force(struct relay_ctx *cx, struct policy *next)
{
	struct data *data = cx->data;
	struct policy *old;
	size_t rules = 0;

	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			rules += rules_count(&next->rules[list][half]);
	relay_log(cx, RELAY_INFO, "%zu rules and %zu tokens are in force",
		rules, next->tokens.count);
	pthread_mutex_lock(&data->lock);
	old = data->policy;
	data->policy = next;
	pthread_mutex_unlock(&data->lock);
	policy_free(old);
	data->watch_until_ms = relay_now_ms(cx) + WATCH_MS;
}

/* The path of a file that may have been half-written when it was read, and has
 * changed since. */
static const char *changed_file(struct policy *policy)
{
	const char *path = watch_changed(&policy->tokens.watch);

	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES && !path; half++)
			path = watch_changed(&policy->rules[list][half].watch);
	return path;
}

/* A file that was taken while its writer paused is read again when the rest is
 * there.  Later changes wait for a reload, as those of other files do. */
static int64_t look_again(struct relay_ctx *cx, void *arg)
{
	struct data *data = cx->data;
	struct policy *policy;
	struct relay_err err;
	const char *path;

	(void)arg;
	if (relay_now_ms(cx) > data->watch_until_ms)
		return LOOK_MS;
	path = changed_file(data->policy);
	if (!path)
		return LOOK_MS;
	relay_log(cx, RELAY_WARNING,
		"%s has changed since it was read, and may have been "
		"half-written: all lists are read again",
		path);
	policy = policy_make(cx->conf, &err);
	if (policy)
		put_in_force(cx, policy);
	else
		relay_log(cx, RELAY_ERROR,
			"%s; what was in force stays in force", err.text);
	return LOOK_MS;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct policy *policy = take_checked(cx->conf, err);

	if (!policy)
		return -1;
	put_in_force(cx, policy);
	return relay_timer_add(cx, LOOK_MS, look_again, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct data *data = cx->data;

	data->next = take_checked(conf, err);
	return data->next ? 0 : -1;
}

static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	put_in_force(cx, data->next);
	data->next = NULL;
}

static void reload_abandon(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	policy_free(data->next);
	data->next = NULL;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->refused = relay_metric_add(cx, &refused);
	if (!data->refused)
		return relay_fail(err, "cannot register metric refused");
	return pthread_mutex_init(&data->lock, NULL) == 0
		       ? 0
		       : relay_fail(err, "cannot make a mutex");
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	policy_free(data->policy);
	pthread_mutex_destroy(&data->lock);
}

/* Decisions. */

static enum relay_verdict refuse(struct relay_ctx *cx, unsigned reason,
	enum relay_refusal refusal, struct relay_denial *why)
{
	const struct data *data = cx->data;

	relay_metric_inc(cx, data->refused, reason, 1);
	why->refusal = refusal;
	why->word = reasons[reason];
	return RELAY_DENY;
}

/*
 * The deny list wins; if there is an allow list, everything not on it is
 * denied.
 */
static bool may(const struct data *data, int list, const uint8_t *id,
	const uint8_t address[RANGE_BYTES])
{
	const struct rules *rules = data->policy->rules[list];

	if (rules_match(&rules[DENY], id, address))
		return false;
	return rules_empty(&rules[ALLOW]) ||
	       rules_match(&rules[ALLOW], id, address);
}

static void address_of(const struct relay_conn *conn, uint8_t out[RANGE_BYTES])
{
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	range_address(&from, out);
}

static bool may_on(
	struct relay_ctx *cx, int list, const struct relay_conn *conn)
{
	struct data *data = cx->data;
	uint8_t address[RANGE_BYTES];
	bool ok;

	address_of(conn, address);
	pthread_mutex_lock(&data->lock);
	ok = may(data, list,
		list == WHO_CONNECTS ? NULL : relay_conn_peer(conn), address);
	pthread_mutex_unlock(&data->lock);
	return ok;
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	return may_on(cx, WHO_CONNECTS, conn)
		       ? RELAY_PASS
		       : refuse(cx, REASON_ADDRESS, RELAY_REFUSE_POLICY, why);
}

static bool knows_token(struct relay_ctx *cx, const char *token)
{
	struct data *data = cx->data;
	bool known;

	pthread_mutex_lock(&data->lock);
	known = data->policy->tokens.count == 0 ||
		tokens_have(&data->policy->tokens, token);
	pthread_mutex_unlock(&data->lock);
	return known;
}

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	if (!knows_token(cx, token))
		return refuse(cx, REASON_TOKEN, RELAY_REFUSE_SECRET, why);
	return may_on(cx, WHO_JOINS, conn)
		       ? RELAY_PASS
		       : refuse(cx, REASON_JOIN, RELAY_REFUSE_POLICY, why);
}

/* The lists may have changed since the peer was admitted. */
static enum relay_verdict peer_stay(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	if (!may_on(cx, WHO_CONNECTS, conn))
		return refuse(cx, REASON_ADDRESS, RELAY_REFUSE_POLICY, why);
	return may_on(cx, WHO_JOINS, conn)
		       ? RELAY_PASS
		       : refuse(cx, REASON_JOIN, RELAY_REFUSE_POLICY, why);
}

static enum relay_verdict peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	struct data *data = cx->data;
	uint8_t address[RANGE_BYTES];
	bool asks, is_asked;

	address_of(conn, address);
	pthread_mutex_lock(&data->lock);
	asks = may(data, WHO_ASKS, relay_conn_peer(conn), address);
	is_asked = may(data, WHO_IS_ASKED, target, address);
	pthread_mutex_unlock(&data->lock);
	if (!asks)
		return refuse(cx, REASON_ASK, RELAY_REFUSE_ABSENT, why);
	return is_asked ? RELAY_PASS
			: refuse(cx, REASON_TARGET, RELAY_REFUSE_ABSENT, why);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("access", "1.0",
		"who may connect, join, request devices and be requested"),
	.options = options,
	.flags = RELAY_GUARD,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.check = check,
	.init = init,
	.start = start,
	.fini = fini,
	.hooks =
		{
			.conn_accept = conn_accept,
			.peer_join = peer_join,
			.peer_connect = peer_connect,
			.peer_stay = peer_stay,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
		},
};
