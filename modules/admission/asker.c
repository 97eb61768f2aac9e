/* SPDX-License-Identifier: MPL-2.0 */

/* The thread that asks the endpoint. */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <utlist.h>

#include "shared/monotonic.h"
#include "asker.h"

/* Late questions are looked for at most this often. */
#define LATE_LOOK_MS 10

struct job {
	struct job *next, *prev;
	struct question question;
	int64_t began_ms, until_ms; /* of the monotonic clock */
	unsigned tries;
	struct transfer *transfer; /* NULL: it waits */
};

struct asker {
	struct relay_ctx *cx;
	relay_post_fn *told;
	void (*lost)(struct relay_ctx *cx, const struct asked *asked);
	pthread_t thread;
	int wake; /* eventfd */
	_Atomic unsigned queued, open;
	pthread_mutex_t lock; /* of the next three */
	struct job *queue;    /* utlist */
	struct setup *next;   /* held; NULL: nothing new */
	bool stop;
	/* On the thread only. */
	struct event_base *base;
	struct event *woken;
	struct event *expiry; /* always pending */
	struct curl_loop loop;
	struct setup *setup; /* held */
	struct job *running; /* utlist */
	struct transfer *idle[64];
	unsigned idle_count;
};

/* The thread. */

static const struct answer too_late = {.reason = "nobody waits any more"};

/* The answer, or the failure, of a job that is in no list any more. */
static void settle(struct asker *asker, struct job *job, enum failure failure,
	const struct answer *answer)
{
	struct asked asked = {.question = job->question,
		.failure = failure,
		.answer = *answer,
		.took_ms = monotonic_now_ms() - job->began_ms};

	_Static_assert(sizeof(asked) <= RELAY_POST_MAX, "it fits a message");
	if (relay_post(asker->cx, RELAY_CONTROL, asker->told, &asked,
		    sizeof(asked)) != 0)
		asker->lost(asker->cx, &asked);
	free(job);
}

static struct job *take(struct asker *asker)
{
	struct job *job;

	pthread_mutex_lock(&asker->lock);
	job = asker->queue;
	if (job) {
		DL_DELETE(asker->queue, job);
		atomic_fetch_sub(&asker->queued, 1);
	}
	pthread_mutex_unlock(&asker->lock);
	return job;
}

/* Those for which it is too late; *next_ms is when the next one will be.  The
 * caller frees the list. */
static struct job *take_late(struct asker *asker, int64_t *next_ms)
{
	int64_t now_ms = monotonic_now_ms();
	struct job *job, *after, *late = NULL;

	*next_ms = INT64_MAX;
	pthread_mutex_lock(&asker->lock);
	for (job = asker->queue; job; job = after) {
		after = job->next;
		if (job->until_ms <= now_ms) {
			DL_DELETE(asker->queue, job);
			DL_APPEND(late, job);
			atomic_fetch_sub(&asker->queued, 1);
		} else if (job->until_ms < *next_ms) {
			*next_ms = job->until_ms;
		}
	}
	pthread_mutex_unlock(&asker->lock);
	return late;
}

/* Also while all connections hang. */
static void refuse_late(struct asker *asker)
{
	struct timeval after = {.tv_sec = 3600};
	struct job *job, *late;
	int64_t next_ms, wait_ms;

	late = take_late(asker, &next_ms);
	while ((job = late)) {
		DL_DELETE(late, job);
		settle(asker, job, FAILURE_LATE, &too_late);
	}
	if (next_ms != INT64_MAX) {
		wait_ms = next_ms - monotonic_now_ms();
		wait_ms = wait_ms < LATE_LOOK_MS ? LATE_LOOK_MS : wait_ms;
		after = (struct timeval){.tv_sec = wait_ms / 1000,
			.tv_usec = wait_ms % 1000 * 1000};
	}
	/* It is always pending, so that this needs no memory. */
	(void)event_add(asker->expiry, &after);
}

static void expired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
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
		job = take(asker);
		if (!job)
			break;
		try(asker, job);
	}
}

/* What is not an answer may be one the next time; what is one, but wrong, will
 * be the same. */
static bool is_worth_a_retry(
	const struct asker *asker, const struct job *job, enum failure failure)
{
	return job->tries <= asker->setup->retries &&
	       job->until_ms > monotonic_now_ms() &&
	       (failure == FAILURE_UNREACHED || failure == FAILURE_TIMEOUT ||
		       failure == FAILURE_STATUS);
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
	if (is_worth_a_retry(asker, job, failure))
		try(asker, job);
	else
		settle(asker, job, failure, &answer);
	begin_more(asker);
}

static void woken(evutil_socket_t fd, short what, void *arg)
{
	struct asker *asker = arg;
	struct setup *next;
	uint64_t count;
	bool stop;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	pthread_mutex_lock(&asker->lock);
	next = asker->next;
	asker->next = NULL;
	stop = asker->stop;
	pthread_mutex_unlock(&asker->lock);
	if (next) {
		setup_let_go(asker->setup);
		asker->setup = next;
	}
	if (stop)
		(void)event_base_loopbreak(asker->base);
	else
		begin_more(asker);
	refuse_late(asker);
}

static void *run(void *arg)
{
	struct asker *asker = arg;

	(void)event_base_dispatch(asker->base);
	return NULL;
}

/* Control. */

static void wake_up(const struct asker *asker)
{
	const uint64_t one = 1;

	/* It fails only if the thread has been woken up anyway. */
	(void)!write(asker->wake, &one, sizeof(one));
}

int asker_push(
	struct asker *asker, const struct question *question, int64_t until_ms)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -1;
	job->question = *question;
	job->began_ms = monotonic_now_ms();
	job->until_ms = until_ms;
	pthread_mutex_lock(&asker->lock);
	DL_APPEND(asker->queue, job);
	atomic_fetch_add(&asker->queued, 1);
	pthread_mutex_unlock(&asker->lock);
	wake_up(asker);
	return 0;
}

unsigned asker_drop(struct asker *asker, uint64_t conn)
{
	struct job *job, *after;
	unsigned dropped = 0;

	pthread_mutex_lock(&asker->lock);
	for (job = asker->queue; job; job = after) {
		after = job->next;
		if (job->question.ticket.number == 0 ||
			job->question.ticket.conn != conn)
			continue;
		DL_DELETE(asker->queue, job);
		free(job);
		dropped++;
	}
	atomic_fetch_sub(&asker->queued, dropped);
	pthread_mutex_unlock(&asker->lock);
	return dropped;
}

void asker_use(struct asker *asker, struct setup *setup)
{
	pthread_mutex_lock(&asker->lock);
	setup_let_go(asker->next);
	asker->next = setup;
	pthread_mutex_unlock(&asker->lock);
	wake_up(asker);
}

unsigned asker_queued(const struct asker *asker)
{
	return atomic_load(&asker->queued);
}

unsigned asker_open(const struct asker *asker)
{
	return atomic_load(&asker->open);
}

/* The thread has ended, or was never started. */
static void dissolve(struct asker *asker)
{
	struct job *job;

	while ((job = asker->running)) {
		DL_DELETE(asker->running, job);
		transfer_end(job->transfer, &asker->loop);
		transfer_free(job->transfer);
		free(job);
	}
	while ((job = take(asker)))
		free(job);
	while (asker->idle_count)
		transfer_free(asker->idle[--asker->idle_count]);
	curl_loop_close(&asker->loop);
	if (asker->woken)
		event_free(asker->woken);
	if (asker->expiry)
		event_free(asker->expiry);
	if (asker->base)
		event_base_free(asker->base);
	if (asker->wake >= 0)
		close(asker->wake);
	setup_let_go(asker->next);
	setup_let_go(asker->setup);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}

/* 0, or -1. */
static int open_loop(struct asker *asker, const struct libcurl *curl)
{
	asker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	asker->base = event_base_new();
	if (asker->wake < 0 || !asker->base)
		return -1;
	asker->woken = event_new(
		asker->base, asker->wake, EV_READ | EV_PERSIST, woken, asker);
	asker->expiry = event_new(asker->base, -1, EV_PERSIST, expired, asker);
	if (!asker->woken || event_add(asker->woken, NULL) != 0 ||
		!asker->expiry ||
		event_add(asker->expiry, &(struct timeval){.tv_sec = 3600}) !=
			0)
		return -1;
	return curl_loop_open(&asker->loop, asker->base, curl, done, asker);
}

struct asker *asker_start(struct relay_ctx *cx, const struct libcurl *curl,
	struct setup *setup, relay_post_fn *told,
	void (*lost)(struct relay_ctx *cx, const struct asked *asked),
	struct relay_err *err)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker || pthread_mutex_init(&asker->lock, NULL) != 0) {
		free(asker);
		relay_fail(err, "out of memory");
		return NULL;
	}
	asker->cx = cx;
	asker->told = told;
	asker->lost = lost;
	asker->wake = -1;
	asker->setup = setup_hold(setup);
	if (open_loop(asker, curl) == 0 &&
		relay_thread_start(&asker->thread, run, asker) == 0)
		return asker;
	dissolve(asker);
	relay_fail(err, "cannot make an event loop or a thread");
	return NULL;
}

void asker_stop(struct asker *asker)
{
	if (!asker)
		return;
	pthread_mutex_lock(&asker->lock);
	asker->stop = true;
	pthread_mutex_unlock(&asker->lock);
	wake_up(asker);
	pthread_join(asker->thread, NULL);
	dissolve(asker);
}
