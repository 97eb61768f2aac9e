/* SPDX-License-Identifier: MPL-2.0 */

/* The state of the pools for metrics and the service. */

#include <stdio.h>
#include <string.h>

#include "pool_join_service.h"
#include "report.h"

#define MS 1000 /* scale for values shown in seconds */

/*
 * The i-th pool of the option; NULL past the end, or before the option is
 * applied.
 */
static const struct pool *pool_at(const struct relay_ctx *cx, unsigned i)
{
	const struct conf *conf = cx->conf;
	unsigned at = 0;

	while (at < i && conf->pools[at])
		at++;
	for (size_t p = 0; conf->pools[at] && p < POOLS_MAX; p++) {
		const struct pool *pool = &state_of(cx)->pools[p];

		if (pool->url && strcmp(pool->url, conf->pools[at]) == 0)
			return pool;
	}
	return NULL;
}

/* Time from now; 0: in the past, or unknown. */
static int64_t until(const struct relay_ctx *cx, int64_t monotonic_ms)
{
	int64_t left = monotonic_ms ? monotonic_ms - relay_now_ms(cx) : 0;

	return left > 0 ? left : 0;
}

static const char *const pool_state_words[] = {
	[POOL_WAITING] = "waiting",
	[POOL_JOINING] = "joining",
	[POOL_JOINED] = "joined",
	[POOL_REFUSED] = "refused",
	[POOL_UNREACHED] = "unreached",
	[POOL_RESTING] = "resting",
	NULL,
};

static const char *const plan_outcome_words[] = {
	[PLAN_JOINED] = "joined",
	[PLAN_UNDECODABLE] = "undecodable",
	[PLAN_UNAUTHORIZED] = "unauthorized",
	[PLAN_REFUSED] = "refused",
	[PLAN_UNREACHED] = "unreached",
	NULL,
};

/* Metrics. */

static int64_t read_joined(struct relay_ctx *cx, unsigned value)
{
	const struct pool *pool = pool_at(cx, value);

	return pool && until(cx, pool->evict_ms) > 0;
}

static int64_t read_state(struct relay_ctx *cx, unsigned value)
{
	const struct pool *pool = pool_at(cx, value);

	return pool ? (int64_t)pool->state : POOL_WAITING;
}

static int64_t read_status(struct relay_ctx *cx, unsigned value)
{
	const struct pool *pool = pool_at(cx, value);

	return pool ? pool->status : 0;
}

static int64_t read_next(struct relay_ctx *cx, unsigned value)
{
	const struct pool *pool = pool_at(cx, value);

	return pool ? until(cx, pool->next_ms) : 0;
}

static int64_t read_eviction(struct relay_ctx *cx, unsigned value)
{
	const struct pool *pool = pool_at(cx, value);

	return pool ? until(cx, pool->evict_ms) : 0;
}

static int64_t read_pools(struct relay_ctx *cx, unsigned value)
{
	int64_t count = 0;

	for (size_t i = 0; i < POOLS_MAX; i++)
		if (state_of(cx)->pools[i].url &&
			state_of(cx)->pools[i].state == value)
			count++;
	return count;
}

/* Used until the option is applied. */
static const char *const nobody[] = {"none", NULL};

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_JOINED] = {.name = "joined",
		.help = "1: the pool lists the relay, according to its last "
			"answer; 0: it does not.",
		.kind = RELAY_GAUGE,
		.label = "pool",
		.values = nobody,
		.read = read_joined},
	[METRIC_STATE] = {.name = "state",
		.help = "State of the pool: 0 waiting, 1 joining, 2 joined, 3 "
			"refused, 4 unreached, 5 resting.",
		.kind = RELAY_GAUGE,
		.label = "pool",
		.values = nobody,
		.read = read_state},
	[METRIC_STATUS] = {.name = "last_status",
		.help = "HTTP status of the pool's last answer; 0: no answer.",
		.kind = RELAY_GAUGE,
		.label = "pool",
		.values = nobody,
		.read = read_status},
	[METRIC_NEXT] = {.name = "next_attempt",
		.unit = "seconds",
		.help = "Time until the next request to the pool; 0: it is "
			"due, or none is planned.",
		.kind = RELAY_GAUGE,
		.scale = MS,
		.label = "pool",
		.values = nobody,
		.read = read_next},
	[METRIC_EVICTION] = {.name = "eviction",
		.unit = "seconds",
		.help = "Time until the pool removes the relay from its list, "
			"if the relay does not join again; 0: it is not "
			"listed.",
		.kind = RELAY_GAUGE,
		.scale = MS,
		.label = "pool",
		.values = nobody,
		.read = read_eviction},
	[METRIC_POOLS] = {.name = "pools",
		.help = "Pools, by state.",
		.kind = RELAY_GAUGE,
		.label = "state",
		.values = pool_state_words,
		.read = read_pools},
	[METRIC_ATTEMPTS] = {.name = "attempts",
		.help = "Attempts to join a pool, by outcome.",
		.kind = RELAY_COUNTER,
		.label = "outcome",
		.values = plan_outcome_words},
};

void report_outcome(const struct relay_ctx *cx, unsigned outcome)
{
	relay_metric_inc(
		cx, state_of(cx)->metrics[METRIC_ATTEMPTS], outcome, 1);
}

/* A number distinguishes two pools on one host. */
static void name_pool(char names[][POOL_LABEL], size_t i, const char *place)
{
	unsigned same = 1;

	for (size_t before = 0; before < i; before++)
		if (strncmp(names[before], place, strlen(place)) == 0 &&
			(names[before][strlen(place)] == '\0' ||
				names[before][strlen(place)] == '#'))
			same++;
	(void)snprintf(
		names[i], POOL_LABEL, same > 1 ? "%s#%u" : "%s", place, same);
}

int report_load(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err)
{
	char names[POOLS_MAX][POOL_LABEL];
	const char *labels[POOLS_MAX + 1] = {NULL};
	struct url url;

	for (size_t i = 0; i < POOLS_MAX && conf->pools[i]; i++) {
		if (url_parse(conf->pools[i], &url, err) != 0)
			return -1;
		name_pool(names, i, url.place);
		labels[i] = names[i];
	}
	for (int i = METRIC_JOINED; i <= METRIC_EVICTION; i++)
		if (relay_metric_relabel(
			    cx, state_of(cx)->metrics[i], labels) != 0)
			return relay_fail(err, "cannot name the pools in %s",
				metrics[i].name);
	return 0;
}

/* The service. */

static int service_pool(
	struct relay_ctx *self, unsigned i, struct pool_join_state *out)
{
	const struct pool *pool = pool_at(self, i);

	if (!pool)
		return -1;
	*out = (struct pool_join_state){.url = pool->shown,
		.state = pool_state_words[pool->state],
		.status = pool->status,
		.reason = pool->reason,
		.next_ms = pool->timer ? until(self, pool->next_ms) : -1,
		.joined = until(self, pool->evict_ms) > 0,
		.evict_ms = -1};
	if (out->joined)
		out->evict_ms = until(self, pool->evict_ms);
	return 0;
}

static const struct pool_join_service service = {
	.pool = service_pool,
};

/* The command pools. */

static void number_or_none(struct relay_answer *to, int64_t value, bool known)
{
	if (known)
		to->number(to, value);
	else
		to->none(to);
}

static enum relay_step pools(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"pool", RELAY_COLUMN_TEXT}, {"state", RELAY_COLUMN_TEXT},
		{"last status", RELAY_COLUMN_COUNT},
		{"next attempt in", RELAY_COLUMN_MS},
		{"listed for", RELAY_COLUMN_MS},
		{"last error", RELAY_COLUMN_TEXT}};
	struct pool_join_state state;

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: pools");
		return RELAY_STEP_OVER;
	}
	to->table(to, "pools", columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned i = 0; service_pool(cx, i, &state) == 0; i++) {
		to->text(to, state.url);
		to->text(to, state.state);
		number_or_none(to, state.status, state.status != 0);
		number_or_none(to, state.next_ms, state.next_ms >= 0);
		number_or_none(to, state.evict_ms, state.evict_ms >= 0);
		to->text(to, state.reason);
	}
	return RELAY_STEP_OVER;
}

static const struct relay_command_def command = {.name = "pools",
	.help = "the pools, and whether they list this relay",
	.run = pools};

int report_init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_metrics_add(
		    cx, metrics, METRICS, state_of(cx)->metrics, err) != 0)
		return -1;
	if (relay_command_add(cx, &command) != 0)
		return relay_fail(err, "cannot add the command pools");
	if (relay_service_publish(cx, POOL_JOIN_SERVICE,
		    POOL_JOIN_SERVICE_VERSION, &service) != 0)
		return relay_fail(
			err, "the service " POOL_JOIN_SERVICE " is taken");
	return 0;
}
