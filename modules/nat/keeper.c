/* SPDX-License-Identifier: MPL-2.0 */

/* A thread that gets a port mapped and keeps it so. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "pmp.h"
#include "upnp.h"

#define NEWS_MAX  8
#define PMP_SHARE 4 /* of the timeout; UPnP has the rest */
#define UNMAP_MS  2000
#define UPNP      "UPnP"
#define PMP       "NAT-PMP"

struct keeper {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	unsigned owners;       /* the thread, and who started it */
	bool stop, over, busy; /* busy: something is mapped */
	bool moved;            /* the port of conf is another one */
	bool leaves;           /* what is mapped is to stay so */
	struct keeper_conf conf;
	struct keeper_news news[NEWS_MAX];
	unsigned count;
	int fd; /* eventfd; constant */
};

/* What only the thread knows. */
struct job {
	struct keeper *keeper;
	struct keeper_conf conf; /* a copy of now */
	struct upnp *upnp;       /* owned; NULL: NAT-PMP, or nothing yet */
	bool mapped;
	const char *protocol;
	struct mapping mapping;
	struct mapping_wish wish;
	int64_t renewed_ms;
	unsigned failures;
	bool moved; /* what was told of is no longer mapped */
	bool leaves;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint32_t random_number(void)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
		(ssize_t)sizeof(number))
		return (uint32_t)now_ms();
	return number;
}

static void release(struct keeper *keeper)
{
	unsigned left;

	pthread_mutex_lock(&keeper->lock);
	left = --keeper->owners;
	pthread_mutex_unlock(&keeper->lock);
	if (left)
		return;
	(void)close(keeper->fd);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

/* The thread's side. */

static void tell(
	struct job *job, enum keeper_what what, const struct relay_err *why)
{
	struct keeper *keeper = job->keeper;
	struct keeper_news news = {.what = what,
		.mapping = job->mapping,
		.protocol = job->protocol};
	const uint64_t one = 1;

	if (why)
		news.why = *why;
	pthread_mutex_lock(&keeper->lock);
	keeper->busy = job->mapped;
	/* The newest counts. */
	if (keeper->count == NEWS_MAX)
		memmove(keeper->news, keeper->news + 1,
			--keeper->count * sizeof(news));
	keeper->news[keeper->count++] = news;
	pthread_mutex_unlock(&keeper->lock);
	/* It is readable already if this would block. */
	if (write(keeper->fd, &one, sizeof(one)) < 0)
		return;
}

/* True: go on; false: it is time to end. */
static bool rest(struct job *job, int64_t ms)
{
	struct keeper *keeper = job->keeper;
	int64_t end = now_ms() + ms;
	struct timespec until = {.tv_sec = (time_t)(end / 1000),
		.tv_nsec = (long)(end % 1000 * 1000000)};
	bool stop;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop && !keeper->moved && ms > 0)
		if (pthread_cond_timedwait(
			    &keeper->wake, &keeper->lock, &until) == ETIMEDOUT)
			break;
	stop = keeper->stop;
	job->conf = keeper->conf;
	job->moved |= keeper->moved;
	keeper->moved = false;
	job->leaves = keeper->leaves;
	pthread_mutex_unlock(&keeper->lock);
	job->wish.lease_ms = job->conf.schedule.lease_ms;
	return !stop;
}

static enum mapping_result map_upnp(
	struct job *job, struct mapping *out, struct relay_err *err)
{
	enum mapping_result result = MAPPING_FAILED;

	for (unsigned i = 0; i < SCHEDULE_PORTS; i++) {
		/* What we had before, first. */
		if (i > 0 || !job->wish.outer)
			job->wish.outer = schedule_port(
				job->conf.port, i, random_number());
		result = upnp_map(job->upnp, &job->wish, out, err);
		if (result != MAPPING_TAKEN)
			break;
	}
	return result;
}

static enum mapping_result map_pmp(
	struct job *job, struct mapping *out, struct relay_err *err)
{
	enum mapping_result result;

	if (!job->wish.outer)
		job->wish.outer = job->conf.port;
	result =
		pmp_map(job->conf.timeout_ms / PMP_SHARE, &job->wish, out, err);
	if (result == MAPPING_DONE)
		job->wish.outer = out->outer;
	return result;
}

/* A gateway of either kind. */
static enum mapping_result search(
	struct job *job, struct mapping *out, struct relay_err *err)
{
	int64_t share = job->conf.timeout_ms / PMP_SHARE;
	enum mapping_result result;
	struct relay_err pmp_err;

	(void)relay_fail(err, "no UPnP gateway answers");
	job->upnp = upnp_find(job->conf.timeout_ms - share, job->conf.local);
	job->protocol = UPNP;
	if (job->upnp && map_upnp(job, out, err) == MAPPING_DONE)
		return MAPPING_DONE;
	upnp_free(job->upnp);
	job->upnp = NULL;
	job->protocol = PMP;
	result = map_pmp(job, out, &pmp_err);
	if (result != MAPPING_DONE) {
		struct relay_err both = *err;

		(void)relay_fail(
			err, "%.100s; %.100s", both.text, pmp_err.text);
	}
	return result;
}

static enum mapping_result renew(
	struct job *job, struct mapping *out, struct relay_err *err)
{
	return job->upnp ? map_upnp(job, out, err) : map_pmp(job, out, err);
}

static enum mapping_result look(
	struct job *job, struct mapping *out, struct relay_err *err)
{
	int64_t since = now_ms() - job->renewed_ms;

	if (!job->mapped)
		return search(job, out, err);
	/* NAT-PMP has no question that is cheaper than asking again. */
	if (!job->upnp || since >= schedule_renewal(&job->conf.schedule))
		return renew(job, out, err);
	return upnp_check(job->upnp, &job->wish, out, err);
}

static void went_well(struct job *job, const struct mapping *now, bool renewed)
{
	bool changed = !job->mapped || job->mapping.outer != now->outer ||
		       job->mapping.address.s_addr != now->address.s_addr;

	if (renewed || !job->mapped)
		job->renewed_ms = now_ms();
	job->failures = 0;
	job->mapped = true;
	job->moved = false;
	job->mapping = *now;
	if (changed)
		tell(job, KEEPER_MAPPED, NULL);
}

/* What the gateway has is kept for as long as it may still work. */
static void went_wrong(struct job *job, const struct relay_err *err)
{
	bool was_mapped = job->mapped;

	job->failures++;
	upnp_free(job->upnp);
	job->upnp = NULL;
	job->mapped = false;
	if (job->failures == 1)
		tell(job, KEEPER_FAILED, err);
	if (job->moved)
		tell(job, KEEPER_LOST, err);
	job->moved = false;
	if (was_mapped)
		return;
	/* A port that was only tried is nothing to hold on to. */
	if (!job->mapping.outer)
		job->wish.outer = 0;
	if (job->mapping.outer && schedule_over(&job->conf.schedule,
					  now_ms() - job->renewed_ms)) {
		tell(job, KEEPER_LOST, err);
		job->mapping.outer = 0;
	}
}

/* One look; how long to rest then. */
static int64_t turn(struct job *job)
{
	struct mapping now = {.outer = 0};
	struct relay_err err = {.text = ""};
	int64_t since = now_ms() - job->renewed_ms;
	bool renewed =
		!job->upnp || since >= schedule_renewal(&job->conf.schedule);
	enum mapping_result result = look(job, &now, &err);

	if (result == MAPPING_LOST) {
		result = renew(job, &now, &err);
		renewed = true;
	}
	if (result == MAPPING_DONE) {
		went_well(job, &now, renewed);
		return schedule_check(
			&job->conf.schedule, now_ms() - job->renewed_ms);
	}
	went_wrong(job, &err);
	return schedule_retry(job->failures, random_number());
}

static void unmap(struct job *job)
{
	if (job->mapped && job->upnp)
		upnp_unmap(job->upnp, job->mapping.outer);
	else if (job->mapped)
		pmp_unmap(UNMAP_MS, job->wish.inner);
	upnp_free(job->upnp);
	job->upnp = NULL;
}

/* Clients are told of the old mapping until there is a new one, or none. */
static void move(struct job *job)
{
	unmap(job);
	job->moved = job->mapping.outer != 0;
	job->mapped = false;
	job->mapping.outer = 0;
	job->wish.outer = 0;
	job->failures = 0;
}

static void *run(void *arg)
{
	struct job job = {.keeper = arg, .protocol = UPNP};
	struct keeper *keeper = arg;
	int64_t ms = 0;

	while (rest(&job, ms)) {
		if (job.moved)
			move(&job);
		job.wish.inner = job.conf.port;
		ms = turn(&job);
	}
	if (job.leaves)
		job.mapped = false;
	unmap(&job);
	pthread_mutex_lock(&keeper->lock);
	keeper->over = true;
	pthread_cond_broadcast(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	release(keeper);
	return NULL;
}

/* The other side. */

static int start_thread(struct keeper *keeper)
{
	pthread_t thread;
	sigset_t all, before;
	int error;

	/* Signals are for the threads that wait for them. */
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return -1;
	error = pthread_create(&thread, NULL, run, keeper);
	if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0)
		return -1;
	return error || pthread_detach(thread) ? -1 : 0;
}

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

struct keeper *keeper_start(
	const struct keeper_conf *conf, struct relay_err *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper) {
		relay_fail(err, "out of memory");
		return NULL;
	}
	keeper->conf = *conf;
	keeper->owners = 2;
	keeper->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (keeper->fd < 0 || pthread_mutex_init(&keeper->lock, NULL) != 0) {
		relay_fail(err, "cannot make an eventfd: %s", strerror(errno));
		if (keeper->fd >= 0)
			(void)close(keeper->fd);
		free(keeper);
		return NULL;
	}
	if (init_wake(keeper) != 0 || start_thread(keeper) != 0) {
		relay_fail(err, "cannot start a thread");
		(void)close(keeper->fd);
		free(keeper);
		return NULL;
	}
	return keeper;
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->fd;
}

bool keeper_hear(struct keeper *keeper, struct keeper_news *out)
{
	uint64_t count;
	bool any;

	if (read(keeper->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&keeper->lock);
	any = keeper->count > 0;
	if (any) {
		*out = keeper->news[0];
		memmove(keeper->news, keeper->news + 1,
			--keeper->count * sizeof(*out));
	}
	pthread_mutex_unlock(&keeper->lock);
	return any;
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

void keeper_stop(struct keeper *keeper, int64_t wait_ms)
{
	int64_t end = now_ms() + wait_ms;
	struct timespec until = {.tv_sec = (time_t)(end / 1000),
		.tv_nsec = (long)(end % 1000 * 1000000)};

	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stop = true;
	pthread_cond_broadcast(&keeper->wake);
	/* One that still searches has nothing to take back. */
	while (keeper->busy && !keeper->over)
		if (pthread_cond_timedwait(
			    &keeper->wake, &keeper->lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&keeper->lock);
	release(keeper);
}

void keeper_leave(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->leaves = true;
	pthread_mutex_unlock(&keeper->lock);
	keeper_stop(keeper, 0);
}
