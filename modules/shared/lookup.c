/* SPDX-License-Identifier: MPL-2.0 */

/* Resolves host names, each in its own thread. */

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <strelaysrv/thread.h>

#include "shared/lookup.h"

struct lookup {
	pthread_mutex_t lock; /* guards `owners` to `list` */
	pthread_cond_t done;
	unsigned owners; /* the thread and the caller */
	bool over;
	int error;
	struct addrinfo *list; /* owned */
	int type; /* of the socket; written before the thread starts */
	char host[256], service[256]; /* "": none */
};

static void release(struct lookup *lookup)
{
	unsigned left;

	pthread_mutex_lock(&lookup->lock);
	left = --lookup->owners;
	pthread_mutex_unlock(&lookup->lock);
	if (left)
		return;
	if (lookup->list)
		freeaddrinfo(lookup->list);
	pthread_cond_destroy(&lookup->done);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

static void *run(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = {.ai_socktype = lookup->type};
	const char *service = lookup->service[0] ? lookup->service : NULL;
	struct addrinfo *list = NULL;
	int error = getaddrinfo(lookup->host, service, &hints, &list);

	pthread_mutex_lock(&lookup->lock);
	lookup->error = error;
	lookup->list = error ? NULL : list;
	lookup->over = true;
	pthread_cond_signal(&lookup->done);
	pthread_mutex_unlock(&lookup->lock);
	release(lookup);
	/* cppcheck-suppress memleak ; the lookup owns the list */
	return NULL;
}

static int init_done(struct lookup *lookup)
{
	pthread_condattr_t attr;
	int error;

	if (pthread_condattr_init(&attr) != 0)
		return -1;
	error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) ||
		pthread_cond_init(&lookup->done, &attr);
	pthread_condattr_destroy(&attr);
	return error ? -1 : 0;
}

struct lookup *lookup_begin(const char *host, const char *service, int type)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->owners = 2;
	lookup->type = type;
	if (strlen(host) >= sizeof(lookup->host) ||
		(service && strlen(service) >= sizeof(lookup->service)) ||
		pthread_mutex_init(&lookup->lock, NULL) != 0) {
		free(lookup);
		return NULL;
	}
	memcpy(lookup->host, host, strlen(host));
	if (service)
		memcpy(lookup->service, service, strlen(service));
	if (init_done(lookup) == 0) {
		if (relay_thread_start(NULL, run, lookup) == 0)
			return lookup;
		pthread_cond_destroy(&lookup->done);
	}
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
	return NULL;
}

int lookup_wait(
	struct lookup *lookup, unsigned seconds, const struct addrinfo **list)
{
	struct timespec until;
	int failed = clock_gettime(CLOCK_MONOTONIC, &until);

	until.tv_sec += (time_t)seconds;
	pthread_mutex_lock(&lookup->lock);
	while (!failed && !lookup->over)
		failed = pthread_cond_timedwait(
			&lookup->done, &lookup->lock, &until);
	pthread_mutex_unlock(&lookup->lock);
	return lookup_result(lookup, list);
}

int lookup_result(struct lookup *lookup, const struct addrinfo **list)
{
	int error;

	pthread_mutex_lock(&lookup->lock);
	error = lookup->over ? lookup->error : EAI_INPROGRESS;
	*list = lookup->list;
	pthread_mutex_unlock(&lookup->lock);
	return error;
}

void lookup_end(struct lookup *lookup)
{
	if (lookup)
		release(lookup);
}
