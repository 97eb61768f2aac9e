/* SPDX-License-Identifier: MPL-2.0 */

/* A thread that maps a port and keeps it mapped. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "keeper.h"
#include "shared/monotonic.h"
#include "shared/random_number.h"

struct keeper {
	pthread_mutex_t lock; /* guards the following members */
	pthread_cond_t wake;
	unsigned owners;       /* the thread and its starter */
	bool begun;            /* see keeper_begin() */
	bool stop, over, busy; /* busy: a mapping may exist */
	bool moved;            /* the port in conf has changed */
	bool leaves;           /* do not remove the mapping at the end */
	struct keeper_conf conf;
	struct outbox outbox;    /* with a lock of its own */
	struct gateway *gateway; /* owned; only used by the thread */
};

/* State used only by the thread. */
struct job {
	struct keeper *keeper;
	const struct gateway_ops *ops;
	struct gateway *gateway; /* borrowed from the keeper */
	struct schedule schedule;
	struct keeper_conf conf; /* current settings */
	struct gateway_wish wish;
	bool moved;  /* differs from the announced port */
	bool mapped; /* and no error since */
	bool told;   /* `mapping` was announced to clients */
	struct gateway_mapping mapping;
	int64_t renewed_ms;
	unsigned failures;
	enum gateway_result failed; /* result of the last attempt */
	bool leaves; /* do not remove the mapping: another process uses it */
	struct refusals refusals;
	struct schedule_changes changes;
};

static void release(struct keeper *keeper)
{
	unsigned left;

	pthread_mutex_lock(&keeper->lock);
	left = --keeper->owners;
	pthread_mutex_unlock(&keeper->lock);
	if (left)
		return;
	outbox_finish(&keeper->outbox);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	keeper->conf.ops->destroy(keeper->gateway);
	free(keeper);
}

/* The thread's side. */

static void tell(
	struct job *job, enum keeper_what what, const struct relay_err *why)
{
	struct keeper_news news = {
		.what = what, .mapping = job->mapping, .port = job->wish.port};

	if (why)
		news.why = *why;
	outbox_put(&job->keeper->outbox, &news);
}

static void set_busy(struct job *job, bool busy)
{
	pthread_mutex_lock(&job->keeper->lock);
	job->keeper->busy = busy;
	pthread_mutex_unlock(&job->keeper->lock);
}

static bool must_stop(struct job *job)
{
	bool stop;

	pthread_mutex_lock(&job->keeper->lock);
	stop = job->keeper->stop;
	pthread_mutex_unlock(&job->keeper->lock);
	return stop;
}

/* The old mapping stays announced until there is a new one, or none. */
static void move(struct job *job)
{
	job->ops->unmap(job->gateway, &job->wish);
	job->mapped = false;
	job->failures = 0;
}

static void take_conf(struct job *job, const struct keeper_conf *conf)
{
	job->schedule = conf->schedule;
	job->schedule.lease_ms =
		schedule_lease(conf->schedule.lease_ms, job->mapping.lease_ms);
	job->wish.port = conf->port;
	job->wish.lease_ms = conf->schedule.lease_ms;
	job->wish.timeout_ms = conf->timeout_ms;
	job->wish.gateways = conf->gateways;
	memcpy(job->wish.local, conf->local, sizeof(job->wish.local));
}

/* True: continue; false: stop. */
static bool rest(struct job *job, int64_t ms)
{
	struct keeper *keeper = job->keeper;
	int64_t end = monotonic_now_ms() + ms;
	struct timespec until = {.tv_sec = (time_t)(end / 1000),
		.tv_nsec = (long)(end % 1000 * 1000000)};
	bool stop, moved;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop && !keeper->begun)
		(void)pthread_cond_wait(&keeper->wake, &keeper->lock);
	while (!keeper->stop && !keeper->moved && ms > 0)
		if (pthread_cond_timedwait(
			    &keeper->wake, &keeper->lock, &until) != 0)
			break;
	stop = keeper->stop;
	job->moved |= keeper->moved;
	moved = keeper->moved;
	keeper->moved = false;
	job->leaves = keeper->leaves;
	job->conf = keeper->conf;
	pthread_mutex_unlock(&keeper->lock);
	if (moved)
		move(job);
	if (!stop)
		take_conf(job, &job->conf);
	return !stop;
}

/* From here on a mapping may exist, whatever the gateway answers. */
static enum gateway_result map(
	struct job *job, struct gateway_mapping *out, struct relay_err *err)
{
	set_busy(job, true);
	job->wish.random = random_number();
	return job->ops->map(job->gateway, &job->wish, out, err);
}

static enum gateway_result search(
	struct job *job, struct gateway_mapping *out, struct relay_err *err)
{
	enum gateway_result result;

	set_busy(job, false);
	result = job->ops->find(job->gateway, &job->wish, err);
	/*
	 * Stopped meanwhile: do not create a mapping that would be removed at
	 * once.
	 */
	if (result == GATEWAY_DONE && must_stop(job)) {
		(void)relay_fail(err, "the module is stopping");
		return GATEWAY_ABSENT;
	}
	return result == GATEWAY_DONE ? map(job, out, err) : result;
}

static bool differs(
	const struct gateway_mapping *a, const struct gateway_mapping *b)
{
	/* Both were zeroed before they were filled. */
	return memcmp(&a->outer, &b->outer, sizeof(a->outer)) != 0;
}

/*
 * Limit how often a gateway can change the announced address; changes by the
 * operator are not limited.
 */
static bool may_tell(struct job *job, const struct gateway_mapping *now)
{
	if ((job->told && !differs(&job->mapping, now)) || job->moved ||
		schedule_may_change(&job->changes, monotonic_now_ms()))
		return true;
	(void)refuse(&job->refusals, REFUSAL_CHANGE, NULL,
		"the gateway's address or port changes too often: clients are "
		"told of it later");
	return false;
}

static void went_well(
	struct job *job, const struct gateway_mapping *now, bool renewed)
{
	bool changed = !job->told || job->failures || job->moved ||
		       differs(&job->mapping, now);

	if (renewed)
		job->renewed_ms = monotonic_now_ms();
	job->failures = 0;
	job->mapped = true;
	/* If the granted lease is shorter than requested, it counts. */
	job->schedule.lease_ms =
		schedule_lease(job->conf.schedule.lease_ms, now->lease_ms);
	if (changed && !may_tell(job, now))
		return;
	job->told = true;
	job->moved = false;
	job->mapping = *now;
	if (changed)
		tell(job, KEEPER_MAPPED, NULL);
}

/* Keep the mapping as long as it may still work. */
static void went_wrong(struct job *job, enum gateway_result result,
	const struct relay_err *err)
{
	job->mapped = false;
	if (!job->failures++ || result != job->failed)
		tell(job,
			result == GATEWAY_ABSENT ? KEEPER_ABSENT
						 : KEEPER_FAILED,
			err);
	job->failed = result;
	if (!job->told ||
		(!job->moved && !schedule_over(&job->schedule,
					monotonic_now_ms() - job->renewed_ms)))
		return;
	job->told = job->moved = false;
	tell(job, KEEPER_LOST, err);
}

/* Maps, renews or checks; returns the delay until the next call. */
static int64_t keep(struct job *job)
{
	struct gateway_mapping now;
	struct relay_err err = {.text = ""};
	int64_t since = monotonic_now_ms() - job->renewed_ms;
	bool renewed =
		!job->mapped || since >= schedule_renewal(&job->schedule);
	enum gateway_result result;

	if (!job->mapped)
		result = search(job, &now, &err);
	else if (renewed)
		result = map(job, &now, &err);
	else
		result = job->ops->check(job->gateway, &job->wish, &now, &err);
	if (result == GATEWAY_LOST) {
		result = map(job, &now, &err);
		renewed = true;
	}
	if (result == GATEWAY_DONE) {
		went_well(job, &now, renewed);
		return schedule_check(
			&job->schedule, monotonic_now_ms() - job->renewed_ms);
	}
	went_wrong(job, result, &err);
	return schedule_retry(job->failures, random_number());
}

static void *run(void *arg)
{
	struct job job = {.keeper = arg};
	struct keeper *keeper = arg;
	int64_t ms = 0;

	pthread_mutex_lock(&keeper->lock);
	job.ops = keeper->conf.ops;
	pthread_mutex_unlock(&keeper->lock);
	job.gateway = keeper->gateway;
	job.wish.refusals = &job.refusals;
	while (rest(&job, ms)) {
		ms = keep(&job);
		outbox_put_refusals(&keeper->outbox, &job.refusals);
	}
	if (!job.leaves)
		job.ops->unmap(job.gateway, &job.wish);
	pthread_mutex_lock(&keeper->lock);
	keeper->over = true;
	pthread_cond_broadcast(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	release(keeper);
	return NULL;
}

/* The side of the control thread. */

static int init_wake(struct keeper *keeper)
{
	pthread_condattr_t attr;
	int error;

	if (pthread_condattr_init(&attr) != 0)
		return -1;
	error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) ||
		pthread_cond_init(&keeper->wake, &attr);
	pthread_condattr_destroy(&attr);
	return error ? -1 : 0;
}

struct keeper *keeper_make(
	const struct keeper_conf *conf, struct relay_err *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper) {
		relay_fail(err, "out of memory");
		return NULL;
	}
	keeper->conf = *conf;
	keeper->owners = 2;
	keeper->gateway = conf->ops->create();
	if (!keeper->gateway) {
		relay_fail(err, "out of memory");
		goto error;
	}
	if (outbox_init(&keeper->outbox, err) != 0)
		goto error;
	if (pthread_mutex_init(&keeper->lock, NULL) == 0 &&
		init_wake(keeper) == 0 &&
		relay_thread_start(NULL, run, keeper) == 0)
		return keeper;
	relay_fail(err, "cannot start a thread");
	outbox_finish(&keeper->outbox);
error:
	conf->ops->destroy(keeper->gateway);
	free(keeper);
	return NULL;
}

void keeper_begin(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->begun = true;
	pthread_cond_broadcast(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->outbox.fd;
}

bool keeper_hear(struct keeper *keeper, struct keeper_news *out)
{
	return outbox_take(&keeper->outbox, out);
}

void keeper_refusals(struct keeper *keeper, struct refusals *out)
{
	outbox_take_refusals(&keeper->outbox, out);
}

void keeper_configure(struct keeper *keeper, const struct keeper_conf *conf)
{
	pthread_mutex_lock(&keeper->lock);
	if (keeper->conf.port != conf->port ||
		strcmp(keeper->conf.local, conf->local) != 0) {
		keeper->moved = true;
		pthread_cond_broadcast(&keeper->wake);
	}
	keeper->conf = *conf;
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stop = true;
	pthread_cond_broadcast(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_free(struct keeper *keeper, const struct timespec *until)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	/* While it still searches, there is no mapping to remove. */
	while (until && keeper->busy && !keeper->over)
		if (pthread_cond_timedwait(
			    &keeper->wake, &keeper->lock, until) != 0)
			break;
	pthread_mutex_unlock(&keeper->lock);
	release(keeper);
}

void keeper_leave(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->leaves = true;
	pthread_mutex_unlock(&keeper->lock);
	keeper_stop(keeper);
}
