/* SPDX-License-Identifier: MPL-2.0 */

/* The metrics. */

#include "counts.h"
#include "data.h"

static const char *const kinds[] = {[QUESTION_JOIN] = "join",
	[QUESTION_ASK] = "ask",
	[QUESTION_AGAIN] = "again",
	[QUESTION_KINDS] = NULL};
static const char *const verdicts[] = {"allowed", "denied", NULL};
/* The first is no failure. */
static const char *const failures[] = {[FAILURE_UNREACHED - 1] = "unreached",
	[FAILURE_TIMEOUT - 1] = "timeout",
	[FAILURE_STATUS - 1] = "status",
	[FAILURE_REDIRECT - 1] = "redirect",
	[FAILURE_LONG - 1] = "long",
	[FAILURE_UNREADABLE - 1] = "unreadable",
	[FAILURE_OTHER_DEVICE - 1] = "other-device",
	[FAILURE_REJECTED - 1] = "rejected",
	[FAILURE_LATE - 1] = "late",
	[FAILURE_BREAKER - 1] = "breaker",
	[FAILURE_FULL - 1] = "queue-full",
	[FAILURE_SOURCE_FULL - 1] = "source-full",
	[FAILURE_MEMORY - 1] = "memory",
	[FAILURES - 1] = NULL};

static int64_t read_open(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	(void)value;
	return data->asker ? asker_open(data->asker) : 0;
}

static int64_t read_queued(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	(void)value;
	return data->asker ? asker_queued(data->asker) : 0;
}

static int64_t read_cached(struct relay_ctx *cx, unsigned value)
{
	struct data *data = cx->data;
	size_t count;

	(void)value;
	pthread_mutex_lock(&data->lock);
	count = cache_count(&data->cache);
	pthread_mutex_unlock(&data->lock);
	return (int64_t)count;
}

static int64_t read_breaker(struct relay_ctx *cx, unsigned value)
{
	const struct data *data = cx->data;

	(void)value;
	return data->breaker.state;
}

/* Milliseconds. */
static const int64_t bounds[] = {
	1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 0};

static const struct relay_metric_def metrics[COUNTS] = {
	[COUNT_ASKED] = {.name = "asked",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "what",
		.values = kinds,
		.help = "Questions for the endpoint: joins, requests, and "
			"devices that are here."},
	[COUNT_ANSWERED] = {.name = "answered",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "verdict",
		.values = verdicts,
		.help = "Answers of the endpoint."},
	[COUNT_FAILURES] = {.name = "failures",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "reason",
		.values = failures,
		.help = "Questions without an answer, by reason, which the "
			"module's page explains: no connection (unreached), "
			"no answer in time (timeout), another status (status, "
			"redirect, rejected), a bad answer (long, unreadable, "
			"other-device), or not asked at all (late, breaker, "
			"queue-full, source-full, memory)."},
	[COUNT_HITS] = {.name = "cache_hits",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "verdict",
		.values = verdicts,
		.help = "Joins and requests that were decided by an earlier "
			"answer."},
	[COUNT_WITHDRAWN] = {.name = "withdrawn",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Devices that had to leave because the endpoint "
			"denied them when it was asked again."},
	[COUNT_DURATION] = {.name = "duration",
		.unit = "seconds",
		.kind = RELAY_HISTOGRAM,
		.scale = 1000,
		.bounds = bounds,
		.help = "Time from a question to its answer or failure, in "
			"the queue, too."},
	[COUNT_OPEN] = {.name = "open",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_open,
		.help = "Requests to the endpoint that are under way."},
	[COUNT_QUEUED] = {.name = "queued",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_queued,
		.help = "Questions that wait for a connection."},
	[COUNT_CACHED] = {.name = "cached",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_cached,
		.help = "Answers in the cache."},
	[COUNT_BREAKER] = {.name = "breaker",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_breaker,
		.help = "0: the endpoint is asked; 1: one question tries it "
			"after failures; 2: it is not asked."},
};

/* Shown by /status, and by -ctl status. */
static void show(struct relay_ctx *self, struct relay_status *to)
{
	static const char *const states[] = {[BREAKER_CLOSED] = "asked",
		[BREAKER_TRIAL] = "on trial",
		[BREAKER_OPEN] = "not asked"};
	const struct data *data = self->data;

	to->text(to, "endpoint", states[data->breaker.state]);
	to->number(to, "open", read_open(self, 0));
	to->number(to, "queued", read_queued(self, 0));
	to->number(to, "answered",
		relay_metric_value(self, "admission", "answered", NULL));
	to->number(to, "failures",
		relay_metric_value(self, "admission", "failures", NULL));
	to->text(to, "lastFailure", counts_word(data->last_failure));
}

static const struct relay_status_part status = {.show = show};

int counts_init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (relay_metrics_add(cx, metrics, COUNTS, data->counts, err) != 0)
		return -1;
	return relay_service_publish(cx, "admission" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &status) == 0
		       ? 0
		       : relay_fail(
				 err, "cannot publish the service for /status");
}

const char *counts_word(enum failure failure)
{
	return failure == FAILURE_NONE ? "" : failures[failure - 1];
}

void count_failure(const struct relay_ctx *cx, enum failure failure)
{
	const struct data *data = cx->data;

	relay_metric_inc(cx, data->counts[COUNT_FAILURES], failure - 1, 1);
}

void count_verdict(const struct relay_ctx *cx, int which, bool allowed)
{
	const struct data *data = cx->data;

	relay_metric_inc(cx, data->counts[which], allowed ? 0 : 1, 1);
}
