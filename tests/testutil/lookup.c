/* SPDX-License-Identifier: MPL-2.0 */

/* Resolves a host name without blocking the loop. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup.h"
#include "client_uri.h"

/* For getaddrinfo(); by default it would be the limit `ulimit -s`. */
#define STACK_BYTES (1U << 20)

/* Shared with the thread; the last of the two users frees it. */
struct job {
	atomic_int users;
	int done_fd; /* eventfd: written when the members below are filled */
	char host[CLIENT_HOST_MAX + 1];
	char port[8];
	int code; /* of getaddrinfo() */
	struct addrinfo *found;
};

struct lookup {
	struct job *job;
	struct event *ready;
	lookup_fn *done;
	void *arg;
};

/* Global: threads may outlive the client that they work for. */
static atomic_uint threads;

unsigned lookup_threads(void)
{
	return atomic_load(&threads);
}

static const struct addrinfo hints = {
	.ai_socktype = SOCK_STREAM,
	.ai_flags = AI_NUMERICSERV,
};

static void job_leave(struct job *job)
{
	if (atomic_fetch_sub(&job->users, 1) > 1)
		return;
	if (job->found)
		freeaddrinfo(job->found);
	(void)close(job->done_fd);
	free(job);
}

static void *run(void *arg)
{
	struct job *job = arg;
	const uint64_t one = 1;

	job->code = getaddrinfo(job->host, job->port, &hints, &job->found);
	if (job->code)
		job->found = NULL;
	/* Fails only if the counter overflows, which one write cannot cause. */
	if (write(job->done_fd, &one, sizeof(one)) != sizeof(one))
		abort();
	job_leave(job);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

/* Block signals in this thread: the program handles them. */
static int start_thread(struct job *job)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int result;

	if (pthread_attr_init(&attr))
		return -1;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_store(&job->users, 2);
	atomic_fetch_add(&threads, 1);
	result = pthread_create(&thread, &attr, run, job);
	if (result) {
		atomic_store(&job->users, 1);
		atomic_fetch_sub(&threads, 1);
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return result ? -1 : 0;
}

/* For a numeric address getaddrinfo() does not block. */
static int try_numeric(struct job *job)
{
	struct addrinfo numeric = hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return getaddrinfo(job->host, job->port, &numeric, &job->found);
}

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;
	struct addrinfo *found;
	uint64_t count;

	(void)what;
	/* A numeric address has no eventfd to read. */
	(void)!read(fd, &count, sizeof(count));
	found = lookup->job->found;
	lookup->job->found = NULL;
	lookup->done(found, found ? NULL : gai_strerror(lookup->job->code),
		lookup->arg);
}

static struct job *job_create(const char *host, unsigned port)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->done_fd < 0) {
		free(job);
		return NULL;
	}
	atomic_init(&job->users, 1);
	/* An empty host means this machine, as in Go. */
	(void)snprintf(
		job->host, sizeof(job->host), "%s", *host ? host : "localhost");
	(void)snprintf(job->port, sizeof(job->port), "%u", port);
	return job;
}

struct lookup *lookup_start(struct event_base *base, const char *host,
	unsigned port, lookup_fn *done, void *arg)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->done = done;
	lookup->arg = arg;
	lookup->job = job_create(host, port);
	if (!lookup->job)
		goto error_job;
	lookup->ready =
		event_new(base, lookup->job->done_fd, EV_READ, ready, lookup);
	if (!lookup->ready || event_add(lookup->ready, NULL))
		goto error_event;
	if (try_numeric(lookup->job) == 0)
		event_active(lookup->ready, EV_READ, 0);
	else if (start_thread(lookup->job))
		goto error_event;
	return lookup;
error_event:
	if (lookup->ready)
		event_free(lookup->ready);
	job_leave(lookup->job);
error_job:
	free(lookup);
	return NULL;
}

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	event_free(lookup->ready);
	job_leave(lookup->job);
	free(lookup);
}
