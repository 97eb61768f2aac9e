/* SPDX-License-Identifier: MPL-2.0 */

/* The thread that asks the endpoint. */

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <utlist.h>

#include "shared/monotonic.h"
#include "asker.h"
#include "asker_state.h"

/* Late questions are looked for at most this often. */
#define LATE_LOOK_MS 10

static const struct answer too_late = {.reason = "nobody waits any more"};

/* The answer, or the failure, of a job that is in no list any more. */
static void settle(struct asker *asker, struct job *job, enum failure failure,
	const struct answer *answer)
{
	struct asked asked = {.question = job->question,
		.failure = failure,
		.answer = *answer,
		.took_ms = monotonic_now_ms() - job->began_ms,
		.generation = job->generation};

	_Static_assert(sizeof(asked) <= RELAY_POST_MAX, "it fits a message");
	if (relay_post(asker->cx, RELAY_CONTROL, asker->told, &asked,
		    sizeof(asked)) != 0)
		asker->lost(asker->cx, &asked);
	free(job);
}

struct job *asker_take(struct asker *asker)
{
	struct job *job;

	pthread_mutex_lock(&asker->lock);
	job = (struct job *)queue_take(&asker->queue);
	if (job)
		atomic_fetch_sub(&asker->queued, 1);
	pthread_mutex_unlock(&asker->lock);
	return job;
}

struct lateness {
	int64_t now_ms, next_ms;
};

static bool is_late(const struct queue_item *item, void *arg)
{
	const struct job *job = (const struct job *)item;
	struct lateness *at = arg;

	if (job->until_ms <= at->now_ms)
		return true;
	if (job->until_ms < at->next_ms)
		at->next_ms = job->until_ms;
	return false;
}

/* Those for which it is too late; *next_ms is when the next one will be.  The
 * caller frees the list. */
static struct queue_item *take_late(struct asker *asker, int64_t *next_ms)
{
	struct lateness at = {monotonic_now_ms(), INT64_MAX};
	struct queue_item *late;

	pthread_mutex_lock(&asker->lock);
	late = queue_take_all(&asker->queue, is_late, &at);
	pthread_mutex_unlock(&asker->lock);
	*next_ms = at.next_ms;
	return late;
}

/* Late ones are looked for then, or earlier. */
static void look_at(struct asker *asker, int64_t at_ms)
{
	int64_t wait_ms = at_ms - monotonic_now_ms();

	if (at_ms >= asker->look_ms)
		return;
	asker->look_ms = at_ms;
	standing_timer_set(&asker->expiry,
		wait_ms < LATE_LOOK_MS ? LATE_LOOK_MS : wait_ms);
}

/* Also while all connections hang. */
static void refuse_late(struct asker *asker)
{
	struct queue_item *item, *late;
	int64_t next_ms;

	late = take_late(asker, &next_ms);
	while ((item = late)) {
		DL_DELETE(late, item);
		atomic_fetch_sub(&asker->queued, 1);
		settle(asker, (struct job *)item, FAILURE_LATE, &too_late);
	}
	asker->look_ms = INT64_MAX;
	look_at(asker, next_ms);
}

static void expired(void *arg)
{
	refuse_late(arg);
}

static void put_aside(struct asker *asker, struct transfer *transfer)
{
	if (asker->idle_count < sizeof(asker->idle) / sizeof(*asker->idle))
		asker->idle[asker->idle_count++] = transfer;
	else
		transfer_free(transfer);
}

/* A request has all of its time, also if less is left until nobody waits: else
 * an overload would look like an endpoint that does not answer.  0, or -1
 * without memory. */
static int begin(struct asker *asker, struct job *job)
{
	struct transfer *transfer = asker->idle_count
					    ? asker->idle[--asker->idle_count]
					    : transfer_new(asker->loop.curl);

	if (!transfer)
		return -1;
	if (transfer_begin(transfer, &asker->loop, asker->setup, &job->question,
		    job) != 0) {
		put_aside(asker, transfer);
		return -1;
	}
	job->transfer = transfer;
	job->tries++;
	job->generation = asker->setup->generation;
	DL_APPEND(asker->running, job);
	atomic_fetch_add(&asker->open, 1);
	return 0;
}

static void try(struct asker *asker, struct job *job)
{
	if (job->until_ms <= monotonic_now_ms())
		settle(asker, job, FAILURE_LATE, &too_late);
	else if (begin(asker, job) != 0)
		settle(asker, job, FAILURE_MEMORY,
			&(struct answer){.reason = "out of memory"});
}

static void begin_more(struct asker *asker)
{
	struct job *job;

	while (atomic_load(&asker->open) < asker->setup->connections) {
		job = asker_take(asker);
		if (!job)
			break;
		try(asker, job);
	}
}

/* What is not an answer may be one the next time; what is one, but wrong, will
 * be the same.  After a timeout less time would not do either, and an endpoint
 * that is slow would get twice as many requests. */
static bool is_worth_a_retry(
	const struct asker *asker, const struct job *job, enum failure failure)
{
	int64_t left_ms = job->until_ms - monotonic_now_ms();

	if (job->tries > asker->setup->retries || left_ms <= 0)
		return false;
	if (failure == FAILURE_TIMEOUT)
		return left_ms >= asker->setup->timeout_ms;
	return failure == FAILURE_UNREACHED || failure == FAILURE_STATUS;
}

/* It waits for its turn again.  False: there is no memory. */
static bool put_back(struct asker *asker, struct job *job)
{
	int64_t until_ms = job->until_ms;
	int result;

	pthread_mutex_lock(&asker->lock);
	result =
		queue_return(&asker->queue, &job->waits, &job->question.source);
	if (result == 0)
		atomic_fetch_add(&asker->queued, 1);
	pthread_mutex_unlock(&asker->lock);
	/* Another thread may have freed it by now. */
	look_at(asker, until_ms);
	return result == 0;
}

static void done(void *arg, void *ended, CURLcode code)
{
	struct asker *asker = arg;
	struct transfer *transfer = ended;
	struct job *job = transfer_owner(transfer);
	struct answer answer;
	enum failure failure = transfer_result(transfer, code, &answer);

	transfer_end(transfer, &asker->loop);
	put_aside(asker, transfer);
	job->transfer = NULL;
	DL_DELETE(asker->running, job);
	atomic_fetch_sub(&asker->open, 1);
	if (!is_worth_a_retry(asker, job, failure) || !put_back(asker, job))
		settle(asker, job, failure, &answer);
	begin_more(asker);
}

static void woken(evutil_socket_t fd, short what, void *arg)
{
	struct asker *asker = arg;
	struct setup *next;
	int64_t until_ms;
	uint64_t count;
	bool stop;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	pthread_mutex_lock(&asker->lock);
	next = asker->next;
	asker->next = NULL;
	stop = asker->stop;
	until_ms = asker->new_until_ms;
	asker->new_until_ms = INT64_MAX;
	pthread_mutex_unlock(&asker->lock);
	if (next) {
		setup_let_go(asker->setup);
		asker->setup = next;
	}
	if (stop)
		(void)event_base_loopbreak(asker->base);
	else
		begin_more(asker);
	look_at(asker, until_ms);
}

void *asker_thread_run(void *arg)
{
	struct asker *asker = arg;

	(void)event_base_dispatch(asker->base);
	return NULL;
}

int asker_thread_open(struct asker *asker, const struct libcurl *curl)
{
	asker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	asker->base = event_base_new();
	if (asker->wake < 0 || !asker->base)
		return -1;
	asker->woken = event_new(
		asker->base, asker->wake, EV_READ | EV_PERSIST, woken, asker);
	if (!asker->woken || event_add(asker->woken, NULL) != 0 ||
		standing_timer_open(
			&asker->expiry, asker->base, expired, asker) != 0)
		return -1;
	return curl_loop_open(&asker->loop, asker->base, curl, done, asker);
}
