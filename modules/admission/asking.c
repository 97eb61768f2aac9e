/* SPDX-License-Identifier: MPL-2.0 */

/* From a question to its answer. */

#include <stdio.h>
#include <string.h>

#include "access/access_service.h"
#include "asking.h"
#include "counts.h"
#include "data.h"
#include "here.h"
#include "shared/monotonic.h"
#include "terms.h"

static struct data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

/* Whether a worker has counted it. */
static bool waits(const struct question *question)
{
	return question->ticket.number != 0;
}

static void is_over(struct relay_ctx *cx, const struct question *question)
{
	if (waits(question))
		unsettled_end(&data_of(cx)->unsettled, question->ticket.number);
}

static void settle(struct relay_ctx *cx, const struct question *question,
	enum relay_verdict verdict, enum relay_refusal refusal,
	const char *word)
{
	const struct relay_decision decision = {
		.verdict = verdict, .why = {refusal, word}};

	/* Without memory, what the ticket says counts in the end. */
	if (waits(question))
		(void)relay_settle(cx, &question->ticket, &decision);
}

enum relay_refusal asking_refusal(const struct question *question)
{
	return question->kind == QUESTION_ASK ? RELAY_REFUSE_ABSENT
					      : RELAY_REFUSE_POLICY;
}

static const char *shown(
	const struct question *question, char out[RELAY_DEVICE_ID_TEXT])
{
	relay_device_id_format(question->device, out);
	return out;
}

/* Failures. */

static void log_failure(struct relay_ctx *cx, const struct asked *asked)
{
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;

	if (asked->failure == FAILURE_LATE)
		relay_log_seldom(cx, RELAY_WARNING, &data->late,
			"the endpoint is too slow: a question waited for %lld "
			"ms and was not asked",
			(long long)asked->took_ms);
	else if (asked->failure == FAILURE_FULL ||
		 asked->failure == FAILURE_SOURCE_FULL)
		relay_log_seldom(cx, RELAY_WARNING, &data->full,
			"refused: %lld questions wait for the endpoint%s; see "
			"`connections` and `queue`",
			(long long)(conf->connections + conf->queue),
			asked->failure == FAILURE_FULL
				? ""
				: ", of which a source may have a quarter");
	else if (asked->failure != FAILURE_BREAKER)
		relay_log_seldom(cx, RELAY_WARNING, &data->failed,
			"no answer about a device, which is therefore %s: %s "
			"(%s)",
			asked->question.kind == QUESTION_AGAIN ? "kept"
			: conf->fail_open                      ? "admitted"
							       : "refused",
			counts_word(asked->failure), asked->answer.reason);
}

/* Too many questions admit nobody. */
static bool by_overload(enum failure failure)
{
	return failure == FAILURE_LATE || failure == FAILURE_FULL ||
	       failure == FAILURE_SOURCE_FULL;
}

static void fail(struct relay_ctx *cx, const struct asked *asked)
{
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;
	const struct question *question = &asked->question;
	struct device *device;

	count_failure(cx, asked->failure);
	data->last_failure = asked->failure;
	log_failure(cx, asked);
	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, question->device);
	if (device && question->kind == QUESTION_AGAIN) {
		device->asking = false;
		device->again_ms = relay_now_ms(cx) + conf->breaker_ms;
	} else if (device && question->kind == QUESTION_JOIN &&
		   !device->answered) {
		/* If it is admitted without an answer, it is asked about. */
		question_again(&device->question, question);
	}
	pthread_mutex_unlock(&data->lock);
	settle(cx, question,
		conf->fail_open && !by_overload(asked->failure) ? RELAY_PASS
								: RELAY_DENY,
		RELAY_REFUSE_FULL, counts_word(asked->failure));
}

static void fail_unasked(struct relay_ctx *cx, const struct question *question,
	enum failure failure)
{
	const struct asked asked = {.question = *question, .failure = failure};

	is_over(cx, question);
	fail(cx, &asked);
}

static void feed_breaker(struct relay_ctx *cx, enum failure failure)
{
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;

	if (failure == FAILURE_NONE ||
		(failure == FAILURE_REJECTED &&
			data->breaker.state == BREAKER_TRIAL)) {
		if (breaker_succeeded(&data->breaker))
			relay_log_seldom(cx, RELAY_NOTICE, &data->mended,
				"the endpoint answers again");
	} else if (failure_is_of_endpoint(failure) &&
		   breaker_failed(&data->breaker, relay_now_ms(cx),
			   conf->breaker_ms,
			   (unsigned)conf->breaker_failures)) {
		relay_log_seldom(cx, RELAY_WARNING, &data->broken,
			"the endpoint fails again and again (%s), and is not "
			"asked for %lld ms",
			counts_word(failure), (long long)conf->breaker_ms);
	}
}

/* Questions. */

static void add_name(struct relay_ctx *cx, struct question *question)
{
	struct relay_ctx *self;
	const struct access_service *access = relay_service_find(
		cx, ACCESS_SERVICE, ACCESS_SERVICE_VERSION, &self);

	if (!access || !access->name(self, question->device, question->name))
		question->name[0] = '\0';
}

void asking_ask(struct relay_ctx *cx, struct question *question)
{
	static const enum failure failures[] = {[QUEUE_FULL] = FAILURE_FULL,
		[QUEUE_SOURCE_FULL] = FAILURE_SOURCE_FULL,
		[QUEUE_NO_MEMORY] = FAILURE_MEMORY};
	enum queue_room room;
	struct question lost;
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;
	int64_t spent_ms = relay_now_ms(cx) - question->asked_ms;
	int64_t left_ms = data->answer_ms - spent_ms;

	if (!breaker_allows(
		    &data->breaker, relay_now_ms(cx), conf->breaker_ms)) {
		fail_unasked(cx, question, FAILURE_BREAKER);
		return;
	}
	/* Too many questions admit nobody: they are refused before the server
	 * would admit them because nobody has decided. */
	if (conf->fail_open)
		left_ms -= conf->timeout_ms < data->answer_ms / 2
				   ? conf->timeout_ms
				   : data->answer_ms / 2;
	/* Nobody waits for these, but the queue takes time, too. */
	if (question->kind == QUESTION_AGAIN)
		left_ms = conf->timeout_ms * (conf->retries + 2);
	add_name(cx, question);
	room = asker_push(
		data->asker, question, monotonic_now_ms() + left_ms, &lost);
	if (room == QUEUE_MADE_ROOM)
		fail_unasked(cx, &lost, FAILURE_FULL);
	if (room <= QUEUE_MADE_ROOM)
		relay_metric_inc(
			cx, data->counts[COUNT_ASKED], question->kind, 1);
	else
		fail_unasked(cx, question, failures[room]);
}

void asking_begin(struct relay_ctx *cx, const void *arg)
{
	struct question question = *(const struct question *)arg;

	asking_ask(cx, &question);
}

void asking_left(struct relay_ctx *cx, const void *arg)
{
	const struct asking_leaver *leaver = arg;
	struct data *data = data_of(cx);
	unsigned dropped = data->asker
				   ? asker_drop(data->asker, &leaver->source,
					     leaver->ticket)
				   : 0;

	while (dropped--)
		unsettled_end(&data->unsettled, leaver->ticket);
}

/* Answers. */

static void deny(struct relay_ctx *cx, const struct asked *asked)
{
	struct data *data = data_of(cx);
	const struct question *question = &asked->question;
	char id[RELAY_DEVICE_ID_TEXT];
	bool withdrawn = false;
	struct device *device;

	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, question->device);
	if (device &&
		(question->kind == QUESTION_AGAIN ||
			(question->kind == QUESTION_JOIN && !device->answered &&
				!asked->answer.trouble))) {
		withdrawn = question->kind == QUESTION_AGAIN &&
			    device->connections > 0;
		device->asking = false;
		atomic_store(&device->denied, true);
	}
	pthread_mutex_unlock(&data->lock);
	if (withdrawn)
		relay_metric_inc(cx, data->counts[COUNT_WITHDRAWN], 0, 1);
	relay_log_seldom(cx, RELAY_NOTICE,
		withdrawn ? &data->withdrawn : &data->denied,
		"the endpoint denies %s to device %s: %s",
		question->kind == QUESTION_ASK ? "a request"
		: withdrawn                    ? "staying"
					       : "joining",
		shown(question, id),
		asked->answer.reason[0] ? asked->answer.reason
					: "it gives no reason");
	settle(cx, question, RELAY_DENY, asking_refusal(question), "denied");
}

/* Of a device that joins or stays. */
static enum terms_result admit(struct relay_ctx *cx, const struct asked *asked)
{
	struct data *data = data_of(cx);
	enum terms_result result = TERMS_KEPT;
	struct device *device;

	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, asked->question.device);
	/* Else the connection has gone meanwhile. */
	if (device) {
		if (asked->question.kind == QUESTION_AGAIN)
			device->asking = false;
		here_allow(device, &asked->question, &asked->answer,
			relay_now_ms(cx));
		result = terms_apply(cx, device);
	}
	pthread_mutex_unlock(&data->lock);
	terms_report(cx, result);
	return result;
}

static void allow(struct relay_ctx *cx, const struct asked *asked)
{
	enum terms_result result = TERMS_KEPT;

	if (asked->question.kind != QUESTION_ASK)
		result = admit(cx, asked);
	if (result == TERMS_USED_UP || result == TERMS_UNCOUNTED)
		settle(cx, &asked->question, RELAY_DENY, RELAY_REFUSE_FULL,
			"quota");
	else if (result == TERMS_NO_MEMORY)
		settle(cx, &asked->question, RELAY_DENY, RELAY_REFUSE_FULL,
			counts_word(FAILURE_MEMORY));
	else
		settle(cx, &asked->question, RELAY_PASS, RELAY_REFUSE_POLICY,
			"");
}

void asking_recall(struct relay_ctx *cx, const void *arg)
{
	const struct asked *asked = arg;

	is_over(cx, &asked->question);
	allow(cx, asked);
}

/* What an endpoint says that is not asked any more counts until the next look.
 */
#define OUTDATED_MS 1

/* For how long it counts, and that in the cache. */
static void keep(struct relay_ctx *cx, struct asked *asked)
{
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;
	int64_t now_ms = relay_now_ms(cx);

	if (asked->answer.keep_ms < 0)
		asked->answer.keep_ms = conf->keep_ms;
	pthread_mutex_lock(&data->lock);
	if (asked->answer.keep_ms > 0)
		cache_put(&data->cache, asked->question.key, &asked->answer,
			now_ms + asked->answer.keep_ms, (size_t)conf->cache);
	pthread_mutex_unlock(&data->lock);
}

static void ask_soon(struct relay_ctx *cx, const struct question *question)
{
	struct data *data = data_of(cx);
	struct device *device;

	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, question->device);
	if (device) {
		device->asking = false;
		device->again_ms = relay_now_ms(cx);
	}
	pthread_mutex_unlock(&data->lock);
}

void asking_told(struct relay_ctx *cx, const void *arg)
{
	struct data *data = data_of(cx);
	struct asked asked = *(const struct asked *)arg;
	bool outdated = data->asker && asker_is_outdated(data->asker, &asked);

	is_over(cx, &asked.question);
	if (!outdated)
		feed_breaker(cx, asked.failure);
	relay_metric_observe(
		cx, data->counts[COUNT_DURATION], 0, asked.took_ms);
	if (outdated && asked.question.kind == QUESTION_AGAIN) {
		ask_soon(cx, &asked.question);
		return;
	}
	/* By the dialect it is no failure, but it says nothing about who has
	 * been admitted. */
	if (asked.answer.trouble && asked.question.kind == QUESTION_AGAIN)
		asked.failure = FAILURE_STATUS;
	if (asked.failure != FAILURE_NONE) {
		fail(cx, &asked);
		return;
	}
	count_verdict(cx, COUNT_ANSWERED, asked.answer.allow);
	if (outdated)
		asked.answer.keep_ms = OUTDATED_MS;
	else
		keep(cx, &asked);
	if (asked.answer.allow)
		allow(cx, &asked);
	else
		deny(cx, &asked);
}

void asking_lost(struct relay_ctx *cx, const struct asked *asked)
{
	struct data *data = data_of(cx);
	struct device *device;

	is_over(cx, &asked->question);
	count_failure(cx, FAILURE_MEMORY);
	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, asked->question.device);
	if (device && asked->question.kind == QUESTION_AGAIN)
		device->asking = false;
	pthread_mutex_unlock(&data->lock);
}
