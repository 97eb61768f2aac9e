/* SPDX-License-Identifier: MPL-2.0 */

/* The data for the page, as JSON. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pool-join/pool_join_service.h>
#include <relay/service.h>
#include <strelaysrv/module.h>

#include "answer.h"
#include "history.h"

#define RATE_TEXT 21

static bool add_integer(cJSON *object, const char *key, int64_t value)
{
	char text[24];

	/* cJSON's numbers are doubles, which are wrong from 2^53 on. */
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return cJSON_AddRawToObject(object, key, text) != NULL;
}

static bool add_string(cJSON *object, const char *key, const char *text)
{
	return cJSON_AddStringToObject(object, key, text) != NULL;
}

static bool add_metric(struct relay_ctx *cx, cJSON *object, const char *key,
	const char *module, const char *name, const char *value)
{
	return add_integer(
		object, key, relay_metric_value(cx, module, name, value));
}

static int64_t option_number(
	struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	return relay_option_get(cx, section, name, &value) ? 0 : value.number;
}

/* The parts. */

static bool add_server(struct relay_ctx *cx, cJSON *answer)
{
	struct relay_value value;
	char run[24];

	/* Lets the page detect a restart of the relay. */
	(void)snprintf(run, sizeof(run), "%" PRId64, relay_start_us());
	return add_string(answer, "run", run) &&
	       add_string(answer, "version", relay_build()->version) &&
	       add_integer(answer, "uptime", relay_uptime_ms() / 1000) &&
	       add_integer(answer, "now", relay_wall_us() / 1000) &&
	       add_integer(answer, "workers", relay_worker_count()) &&
	       add_metric(
		       cx, answer, "memory", "core", "resident_memory", NULL) &&
	       add_string(answer, "provider",
		       relay_option_get(cx, "relay", "provided-by", &value)
			       ? ""
			       : value.string);
}

/* With a token, users need the operator's URI, not this one. */
static bool add_uri(struct relay_ctx *cx, cJSON *answer)
{
	struct relay_ctx *self;
	const struct relay_service *relay = relay_service_find(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &self);
	char text[RELAY_SERVICE_URI] = "";
	bool token = relay && relay->is_private(self);

	if (relay && !token && relay->uri(self, text, sizeof(text)) != 0)
		text[0] = '\0';
	return cJSON_AddBoolToObject(answer, "token", token) &&
	       add_string(answer, "uri", text);
}

static bool add_counts(struct relay_ctx *cx, cJSON *answer)
{
	return add_metric(
		       cx, answer, "bytes", "core", "session_traffic", NULL) &&
	       add_metric(cx, answer, "sessions", "core", "sessions", NULL) &&
	       add_metric(cx, answer, "devices", "relay", "devices", NULL) &&
	       add_metric(
		       cx, answer, "pending", "relay", "pending_keys", NULL) &&
	       add_metric(
		       cx, answer, "ended", "core", "sessions_closed", NULL) &&
	       add_metric(cx, answer, "joins", "relay", "joins", "ok");
}

static bool add_limits(struct relay_ctx *cx, cJSON *answer)
{
	cJSON *limits = cJSON_AddObjectToObject(answer, "limits");

	return limits &&
	       add_metric(cx, limits, "connections", "core", "connections",
		       NULL) &&
	       add_metric(cx, limits, "connectionsMost", "core",
		       "connection_limit", NULL) &&
	       add_metric(cx, limits, "descriptors", "core", "open_descriptors",
		       NULL) &&
	       add_metric(cx, limits, "descriptorsMost", "core",
		       "descriptor_limit", NULL) &&
	       add_integer(limits, "globalRate",
		       option_number(cx, "rate-limit", "global")) &&
	       add_integer(limits, "sessionRate",
		       option_number(cx, "rate-limit", "per-session"));
}

/* Empty if the module does not run. */
static bool add_quota(struct relay_ctx *cx, cJSON *answer)
{
	struct relay_value value;
	cJSON *quota;

	if (relay_option_get(cx, "quota", "day", &value))
		return true;
	quota = cJSON_AddObjectToObject(answer, "quota");
	return quota &&
	       add_metric(cx, quota, "level", "quota", "level", NULL) &&
	       add_metric(cx, quota, "day", "quota", "used", "day") &&
	       add_metric(cx, quota, "dayMost", "quota", "cap", "day") &&
	       add_metric(cx, quota, "month", "quota", "used", "month") &&
	       add_metric(cx, quota, "monthMost", "quota", "cap", "month");
}

/* The same. */
static bool add_cluster(struct relay_ctx *cx, cJSON *answer)
{
	struct relay_value value;
	cJSON *cluster;

	if (relay_option_get(cx, "cluster", "name", &value))
		return true;
	cluster = cJSON_AddObjectToObject(answer, "cluster");
	return cluster &&
	       add_metric(cx, cluster, "reached", "cluster",
		       "registry_reachable", NULL) &&
	       add_metric(cx, cluster, "nodes", "cluster", "nodes", NULL);
}

/* Lists made by visiting all metrics. */

struct lists {
	cJSON *refusals, *modules, *protocols;
};

static cJSON *element(cJSON *array)
{
	cJSON *item = cJSON_CreateObject();

	if (item && cJSON_AddItemToArray(array, item))
		return item;
	cJSON_Delete(item);
	return NULL;
}

/* The page uses other words than the metrics. */
static const struct {
	const char *module, *name, *what;
} refusals[] = {
	{"relay", "joins", "join"},
	{"relay", "connect_requests", "connect"},
	{"relay", "rejected", "protocol"},
	{"core", "connections_refused", "connection"},
	{"core", "handshake_failures", "TLS"},
	{"bounds", "reached", "bounds"},
};

/* Each module with a filter says why itself, and other metrics say what the
 * listeners count by address. */
static bool is_told_elsewhere(const struct relay_sample *sample)
{
	const char *name = sample->def->name;

	return strcmp(sample->module, "core") == 0 &&
	       (strncmp(name, "listener_", strlen("listener_")) == 0 ||
		       (strcmp(name, "connections_refused") == 0 &&
			       strcmp(sample->value_name, "filter") == 0));
}

static const char *refusal_of(const struct relay_sample *sample)
{
	const char *name = sample->def->name;

	if (sample->def->kind != RELAY_COUNTER || !sample->value_name ||
		is_told_elsewhere(sample))
		return NULL;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strcmp(refusals[i].module, sample->module) == 0 &&
			strcmp(refusals[i].name, name) == 0)
			return refusals[i].what;
	/* Modules that limit something use these metric names. */
	return strstr(name, "refus") || strstr(name, "denied") ? sample->module
							       : NULL;
}

static bool add_refusal(
	cJSON *array, const struct relay_sample *sample, const char *what)
{
	cJSON *item;

	if (sample->value == 0 || strcmp(sample->value_name, "ok") == 0)
		return true;
	item = element(array);
	return item && add_string(item, "what", what) &&
	       add_string(item, "why", sample->value_name) &&
	       add_integer(item, "count", sample->value);
}

static bool add_module(cJSON *array, const struct relay_sample *sample)
{
	cJSON *item = element(array);

	return item && add_string(item, "name", sample->value_name) &&
	       cJSON_AddBoolToObject(item, "up", sample->value != 0);
}

static bool add_protocol(cJSON *array, const struct relay_sample *sample)
{
	cJSON *item;

	if (sample->value == 0)
		return true;
	item = element(array);
	return item && add_string(item, "name", sample->value_name) &&
	       add_integer(item, "sessions", sample->value);
}

static bool is(
	const struct relay_sample *sample, const char *module, const char *name)
{
	return strcmp(sample->module, module) == 0 &&
	       strcmp(sample->def->name, name) == 0;
}

static int look(const struct relay_sample *sample, void *arg)
{
	struct lists *lists = arg;
	const char *refusal = refusal_of(sample);
	bool good = true;

	if (refusal)
		good = add_refusal(lists->refusals, sample, refusal);
	else if (is(sample, "core", "module_up"))
		good = add_module(lists->modules, sample);
	else if (is(sample, "core", "module_sessions"))
		good = add_protocol(lists->protocols, sample);
	return good ? 0 : -1;
}

static bool add_pool(cJSON *item, const struct pool_join_state *state)
{
	return item && add_string(item, "url", state->url) &&
	       add_string(item, "state", state->state) &&
	       add_string(item, "reason", state->reason) &&
	       cJSON_AddBoolToObject(item, "joined", state->joined) &&
	       add_integer(item, "next", state->next_ms) &&
	       add_integer(item, "evicted", state->evict_ms);
}

static bool add_pools(struct relay_ctx *cx, cJSON *answer)
{
	cJSON *pools = cJSON_AddArrayToObject(answer, "pools");
	struct relay_ctx *self;
	const struct pool_join_service *joins = relay_service_find(
		cx, POOL_JOIN_SERVICE, POOL_JOIN_SERVICE_VERSION, &self);
	struct pool_join_state state;
	bool good = pools != NULL;

	for (unsigned i = 0; good && joins; i++) {
		if (joins->pool(self, i, &state) != 0)
			break;
		good = add_pool(element(pools), &state);
	}
	return good;
}

static bool add_lists(struct relay_ctx *cx, cJSON *answer)
{
	struct lists lists = {
		.refusals = cJSON_AddArrayToObject(answer, "refusals"),
		.modules = cJSON_AddArrayToObject(answer, "modules"),
		.protocols = cJSON_AddArrayToObject(answer, "protocols"),
	};

	return lists.refusals && lists.modules && lists.protocols &&
	       relay_metrics_visit(cx, look, &lists) == 0 &&
	       add_pools(cx, answer);
}

/* Throughput. */

/* Raw text: a JSON node for each of 1,800 numbers would be costly. */
static char *rates_text(const struct history *history, int64_t first)
{
	size_t cap = (size_t)(history->count - first) * RATE_TEXT + 3;
	char *text = malloc(cap);
	size_t len = 0;

	if (!text)
		return NULL;
	text[len++] = '[';
	for (int64_t i = first; i < history->count; i++)
		len += (size_t)snprintf(text + len, cap - len, "%s%" PRId64,
			i > first ? "," : "", history_rate(history, i));
	text[len++] = ']';
	text[len] = '\0';
	return text;
}

static bool add_history(
	cJSON *answer, const struct history *history, int64_t after)
{
	cJSON *object = cJSON_AddObjectToObject(answer, "history");
	int64_t first = history_first(history, after);
	char *text = rates_text(history, first);
	/* When the last step ended, by the wall clock. */
	int64_t end_ms =
		relay_wall_us() / 1000 - (relay_uptime_ms() - history->at_ms);
	bool good = object && text &&
		    add_integer(object, "step", HISTORY_STEP_MS) &&
		    add_integer(object, "last", history->count - 1) &&
		    add_integer(object, "end", end_ms) &&
		    cJSON_AddRawToObject(object, "rates", text);

	free(text);
	return good;
}

cJSON *answer_make(
	struct relay_ctx *cx, const struct history *history, int64_t after)
{
	cJSON *answer = cJSON_CreateObject();

	if (answer && add_server(cx, answer) && add_uri(cx, answer) &&
		add_counts(cx, answer) && add_limits(cx, answer) &&
		add_quota(cx, answer) && add_cluster(cx, answer) &&
		add_lists(cx, answer) && add_history(answer, history, after))
		return answer;
	cJSON_Delete(answer);
	return NULL;
}
