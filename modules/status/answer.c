/* SPDX-License-Identifier: MPL-2.0 */

/* The body of /status. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <strelaysrv/module.h>

#include "../pool-join/pool_join_service.h"
#include "../shared/shown_url.h"
#include "answer.h"
#include "rates.h"

/* cJSON's numbers are doubles, which are wrong from 2^53 on. */
static bool add_integer(cJSON *object, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return cJSON_AddRawToObject(object, key, text) != NULL;
}

static bool add_string(cJSON *object, const char *key, const char *text)
{
	return cJSON_AddStringToObject(object, key, text) != NULL;
}

static bool add_element(cJSON *array, cJSON *item)
{
	if (item && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

/* As Go's time.RFC3339Nano: no trailing zeros, and Z for UTC. */
static void format_time(int64_t time_us, char *out, size_t cap)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char day[40], zone[8], fraction[12];
	struct tm tm;
	size_t len;

	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	if (!strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	if (strftime(zone, sizeof(zone), "%z", &tm) != 5)
		memcpy(zone, "+0000", 6);
	(void)snprintf(
		fraction, sizeof(fraction), ".%06d", (int)(time_us % 1000000));
	len = strlen(fraction);
	while (len > 0 &&
		(fraction[len - 1] == '0' || fraction[len - 1] == '.'))
		fraction[--len] = '\0';
	if (strcmp(zone, "+0000") == 0)
		(void)snprintf(out, cap, "%s%sZ", day, fraction);
	else
		(void)snprintf(out, cap, "%s%s%.3s:%.2s", day, fraction, zone,
			zone + 3);
}

static bool add_build(cJSON *answer)
{
	const struct relay_build *build = relay_build();
	char started[80];

	format_time(relay_start_us(), started, sizeof(started));
	return add_string(answer, "version", build->version) &&
	       add_string(answer, "buildDate", build->date) &&
	       add_string(answer, "buildHost", build->host) &&
	       add_string(answer, "buildUser", build->user) &&
	       add_string(answer, "goVersion", build->compiler) &&
	       add_string(answer, "goOS", build->os) &&
	       add_string(answer, "goArch", build->arch) &&
	       add_string(answer, "startTime", started) &&
	       add_integer(answer, "uptimeSeconds", relay_uptime_ms() / 1000);
}

static bool add_numbers(struct relay_ctx *cx, cJSON *answer)
{
	int64_t sessions = relay_metric_value(cx, "core", "sessions", NULL);

	return add_integer(answer, "numPendingSessionKeys",
		       relay_metric_value(cx, "relay", "pending_keys", NULL)) &&
	       add_integer(answer, "numActiveSessions", sessions) &&
	       add_integer(answer, "numConnections",
		       relay_metric_value(cx, "core", "connections", "tls")) &&
	       add_integer(answer, "numProxies", 2 * sessions) &&
	       add_integer(answer, "bytesProxied",
		       relay_metric_value(
			       cx, "core", "session_traffic", NULL)) &&
	       add_integer(answer, "goMaxProcs", relay_worker_count()) &&
	       add_integer(answer, "goNumRoutine",
		       relay_metric_value(cx, "core", "threads", NULL));
}

static bool add_rates(cJSON *answer, const struct rates *rates)
{
	int64_t kbps[RATES_WINDOWS];
	cJSON *array = cJSON_AddArrayToObject(answer, "kbps10s1m5m15m30m60m");
	char text[24];
	bool good = array != NULL;

	rates_kbps(rates, kbps);
	for (size_t i = 0; good && i < RATES_WINDOWS; i++) {
		(void)snprintf(text, sizeof(text), "%" PRId64, kbps[i]);
		good = add_element(array, cJSON_CreateRaw(text));
	}
	return good;
}

/* Options of modules that do not run count as 0. */
static int64_t option_number(
	struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	if (relay_option_get(cx, section, name, &value))
		return 0;
	return value.number;
}

static bool add_relay_text(
	struct relay_ctx *cx, cJSON *options, const char *name)
{
	struct relay_value value;

	if (relay_option_get(cx, "relay", name, &value) || !value.string)
		return add_string(options, name, "");
	return add_string(options, name, value.string);
}

/* Strangers read this page. */
static cJSON *make_url(const char *url)
{
	char *shown = shown_url(url);
	cJSON *text = shown ? cJSON_CreateString(shown) : NULL;

	free(shown);
	return text;
}

static bool add_pools(struct relay_ctx *cx, cJSON *options)
{
	cJSON *pools = cJSON_AddArrayToObject(options, "pools");
	struct relay_value value;
	bool good = pools != NULL;

	if (!good || relay_option_get(cx, "pool-join", "pools", &value) ||
		!value.list)
		return good;
	for (const char *const *pool = value.list; good && *pool; pool++)
		good = add_element(pools, make_url(*pool));
	return good;
}

static bool add_options(struct relay_ctx *cx, cJSON *answer)
{
	cJSON *options = cJSON_AddObjectToObject(answer, "options");

	return options &&
	       add_integer(options, "network-timeout",
		       option_number(cx, "relay", "network-timeout") / 1000) &&
	       add_integer(options, "ping-interval",
		       option_number(cx, "relay", "ping-interval") / 1000) &&
	       add_integer(options, "message-timeout",
		       option_number(cx, "relay", "message-timeout") / 1000) &&
	       add_integer(options, "per-session-rate",
		       option_number(cx, "rate-limit", "per-session")) &&
	       add_integer(options, "global-rate",
		       option_number(cx, "rate-limit", "global")) &&
	       add_pools(cx, options) &&
	       add_relay_text(cx, options, "provided-by") &&
	       /* Not in the Go server. */
	       add_relay_text(cx, options, "ext-status");
}

/* Milliseconds as seconds; a negative value means none. */
static bool add_seconds(cJSON *object, const char *key, int64_t ms)
{
	return add_integer(object, key, ms < 0 ? -1 : (ms + 999) / 1000);
}

static bool add_pool(cJSON *pools, const struct pool_join_state *state)
{
	cJSON *pool = cJSON_CreateObject();

	if (pool &&
		cJSON_AddItemToObject(
			pool, "url", cJSON_CreateString(state->url)) &&
		add_string(pool, "state", state->state) &&
		cJSON_AddBoolToObject(pool, "joined", state->joined) &&
		add_integer(pool, "lastStatus", state->status) &&
		add_string(pool, "lastError", state->reason) &&
		add_seconds(pool, "nextAttemptSeconds", state->next_ms) &&
		add_seconds(pool, "evictedInSeconds", state->evict_ms))
		return add_element(pools, pool);
	cJSON_Delete(pool);
	return false;
}

/* Not in the Go server. */
static bool add_pool_states(struct relay_ctx *cx, cJSON *answer)
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
		good = add_pool(pools, &state);
	}
	return good;
}

/* Other modules' objects, see strelaysrv/status.h. */

struct part {
	struct relay_status to; /* first: the module gets its address */
	cJSON *object;          /* NULL: it failed */
};

static void end_part(struct part *part)
{
	cJSON_Delete(part->object);
	part->object = NULL;
}

static void part_number(struct relay_status *to, const char *key, int64_t value)
{
	struct part *part = (struct part *)to;

	if (part->object && !cJSON_HasObjectItem(part->object, key) &&
		!add_integer(part->object, key, value))
		end_part(part);
}

static void part_text(
	struct relay_status *to, const char *key, const char *value)
{
	struct part *part = (struct part *)to;

	if (part->object && !cJSON_HasObjectItem(part->object, key) &&
		!add_string(part->object, key, value))
		end_part(part);
}

static bool add_part(struct relay_ctx *cx, cJSON *answer, const char *module)
{
	struct part part = {.to = {.number = part_number, .text = part_text}};
	char name[128];
	struct relay_ctx *self;
	const struct relay_status_part *service;

	(void)snprintf(name, sizeof(name), "%s" RELAY_STATUS_PART, module);
	service = relay_service_find(cx, name, RELAY_STATUS_VERSION, &self);
	/* A module named like a field must not replace the field. */
	if (!service || cJSON_HasObjectItem(answer, module))
		return true;
	part.object = cJSON_CreateObject();
	service->show(self, &part.to);
	if (part.object && cJSON_AddItemToObject(answer, module, part.object))
		return true;
	end_part(&part);
	return false;
}

static bool add_parts(struct relay_ctx *cx, cJSON *answer)
{
	struct relay_value modules;
	bool good = true;

	if (relay_option_get(cx, NULL, "modules", &modules))
		return true;
	for (size_t i = 0; good && modules.list[i]; i++)
		good = add_part(cx, answer, modules.list[i]);
	return good;
}

static int add_protocol(const struct relay_sample *sample, void *arg)
{
	if (strcmp(sample->module, "core") != 0 ||
		strcmp(sample->def->name, "module_sessions") != 0 ||
		sample->value == 0)
		return 0;
	return add_integer(arg, sample->value_name, sample->value) ? 0 : -1;
}

/* Not in the Go server, which has one protocol. */
static bool add_protocols(struct relay_ctx *cx, cJSON *answer)
{
	cJSON *sessions = cJSON_AddObjectToObject(answer, "sessionsByProtocol");

	return sessions && relay_metrics_visit(cx, add_protocol, sessions) == 0;
}

static bool add_closed(cJSON *answer)
{
	const char *why = relay_closed();

	return add_string(answer, "closed", why ? why : "");
}

static int64_t core_number(struct relay_ctx *cx, const char *name)
{
	return relay_metric_value(cx, "core", name, NULL);
}

/* Only present during a drain, so pools never see it in normal operation. */
static bool add_drain(struct relay_ctx *cx, cJSON *answer)
{
	static const char *const words[] = {
		[RELAY_DRAIN_LEAVE] = "leave", [RELAY_DRAIN_MOVE] = "move"};
	enum relay_drain how = relay_draining();
	cJSON *drain;

	if (how == RELAY_DRAIN_NONE)
		return true;
	drain = cJSON_AddObjectToObject(answer, "drain");
	return drain && add_string(drain, "how", words[how]) &&
	       add_integer(drain, "left", core_number(cx, "drain_left")) &&
	       add_integer(drain, "secondsLeft",
		       (core_number(cx, "drain_time_left") + 999) / 1000);
}

cJSON *answer_make(struct relay_ctx *cx, const struct rates *rates)
{
	cJSON *answer = cJSON_CreateObject();

	if (answer && add_build(answer) && add_numbers(cx, answer) &&
		add_rates(answer, rates) && add_options(cx, answer) &&
		add_pool_states(cx, answer) && add_closed(answer) &&
		add_drain(cx, answer) && add_protocols(cx, answer) &&
		add_parts(cx, answer))
		return answer;
	cJSON_Delete(answer);
	return NULL;
}
