/* SPDX-License-Identifier: MPL-2.0 */

/* Opens a TCP connection to a host, by name or address, with a timeout. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dial.h"
#include "lookup.h"
#include "client_uri.h"

struct dial {
	struct event_base *base;
	const struct dial_handlers *handlers; /* borrowed, static */
	void *arg;
	struct lookup *lookup;     /* owned */
	struct addrinfo *found;    /* owned */
	const struct addrinfo *at; /* the next one to try */
	int64_t end_us;            /* end of the timeout */
	struct event *overall;     /* fires at end_us */
	struct event *go;          /* runs the next step from the loop */
	struct event *connecting;  /* NULL, or of fd */
	int fd;
	enum nearness nearest; /* nearer addresses are not tried */
	int last_errno;        /* of the previous address */
	char place[CLIENT_PLACE];
};

static void try_next(struct dial *dial);

static void drop_attempt(struct dial *dial)
{
	if (dial->connecting)
		event_free(dial->connecting);
	dial->connecting = NULL;
	if (dial->fd >= 0)
		(void)close(dial->fd);
	dial->fd = -1;
}

static void finish_bad(
	struct dial *dial, enum relay_client_failure failure, const char *what)
{
	struct relay_client_error why;

	drop_attempt(dial);
	lookup_free(dial->lookup); /* its thread may still run */
	dial->lookup = NULL;
	(void)evtimer_del(dial->overall);
	client_error(&why, failure, "%s: %s", dial->place, what);
	dial->handlers->done(-1, &why, dial->arg);
}

static void finish_good(struct dial *dial)
{
	const int yes = 1;
	int fd = dial->fd;

	dial->fd = -1;
	drop_attempt(dial);
	(void)evtimer_del(dial->overall);
	/* Not fatal: only a little slower if it fails. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	dial->handlers->done(fd, NULL, dial->arg);
}

static void attempt_failed(struct dial *dial, int error)
{
	dial->last_errno = error;
	drop_attempt(dial);
	try_next(dial);
}

static void attempt_ready(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	if (what & EV_TIMEOUT)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error)
		attempt_failed(dial, error);
	else
		finish_good(dial);
}

/* Divides the remaining time equally among the remaining addresses. */
static int64_t share_ms(const struct dial *dial)
{
	int64_t left = (dial->end_us - client_now_us()) / 1000, count = 0;

	for (const struct addrinfo *a = dial->at; a; a = a->ai_next)
		count++;
	return left > count ? left / count : 1;
}

/* 0, or -1 with errno. */
static int attempt(struct dial *dial)
{
	const struct addrinfo *a = dial->at;
	struct timeval share;

	if (nearness_of(a->ai_addr) > dial->nearest) {
		errno = EPERM;
		return -1;
	}

	dial->fd = socket(a->ai_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (dial->fd < 0 || (connect(dial->fd, a->ai_addr, a->ai_addrlen) &&
				    errno != EINPROGRESS))
		return -1;
	dial->connecting =
		event_new(dial->base, dial->fd, EV_WRITE, attempt_ready, dial);
	if (!dial->connecting ||
		event_add(dial->connecting,
			client_timeval(share_ms(dial), &share))) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static enum relay_client_failure failure_of(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return RELAY_CLIENT_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return RELAY_CLIENT_LOCAL;
	default:
		return RELAY_CLIENT_UNREACHABLE;
	}
}

static void try_next(struct dial *dial)
{
	while (dial->at) {
		if (attempt(dial) == 0) {
			dial->at = dial->at->ai_next;
			return;
		}
		dial->last_errno = errno;
		drop_attempt(dial);
		dial->at = dial->at->ai_next;
	}
	finish_bad(dial, failure_of(dial->last_errno),
		dial->last_errno == ETIMEDOUT ? "no answer to a TCP connect"
		: dial->last_errno == EPERM
			? "an address of this machine or link, which a host "
			  "elsewhere has no business to name"
			: strerror(dial->last_errno));
}

static void connect_now(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	try_next(arg);
}

static void looked_up(struct addrinfo *found, const char *why, void *arg)
{
	struct dial *dial = arg;

	if (!found) {
		finish_bad(dial, RELAY_CLIENT_NO_ADDRESS, why);
		return;
	}
	dial->found = found;
	dial->at = found;
	/* Continue from the loop, because found() may free the dial. */
	event_active(dial->go, EV_TIMEOUT, 0);
	if (dial->handlers->found)
		dial->handlers->found(dial->arg);
}

static void out_of_time(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;

	(void)fd;
	(void)what;
	finish_bad(dial, RELAY_CLIENT_TIMEOUT,
		dial->found ? "no answer to a TCP connect"
			    : "the name was not looked up in time");
}

void dial_restrict(struct dial *dial, enum nearness nearest)
{
	dial->nearest = nearest;
}

void dial_free(struct dial *dial)
{
	if (!dial)
		return;
	drop_attempt(dial);
	lookup_free(dial->lookup);
	if (dial->found)
		freeaddrinfo(dial->found);
	if (dial->overall)
		event_free(dial->overall);
	if (dial->go)
		event_free(dial->go);
	free(dial);
}

static int arm(struct dial *dial, int64_t timeout_ms)
{
	struct timeval t;

	dial->overall = evtimer_new(dial->base, out_of_time, dial);
	dial->go = evtimer_new(dial->base, connect_now, dial);
	if (!dial->overall || !dial->go)
		return -1;
	return evtimer_add(dial->overall, client_timeval(timeout_ms, &t));
}

struct dial *dial_start(struct event_base *base, const char *host,
	unsigned port, int64_t timeout_ms, const struct dial_handlers *handlers,
	void *arg, struct relay_err *err)
{
	struct dial *dial = calloc(1, sizeof(*dial));

	if (!dial)
		goto error;
	dial->base = base;
	dial->handlers = handlers;
	dial->arg = arg;
	dial->fd = -1;
	dial->nearest = NEAR_MACHINE;
	dial->end_us = client_now_us() + timeout_ms * 1000;
	(void)snprintf(dial->place, sizeof(dial->place),
		strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	if (arm(dial, timeout_ms))
		goto error;
	dial->lookup = lookup_start(base, host, port, looked_up, dial);
	if (!dial->lookup)
		goto error;
	return dial;
error:
	dial_free(dial);
	(void)relay_fail(err, "no memory or descriptor for a connection");
	return NULL;
}
