/* SPDX-License-Identifier: MPL-2.0 */

/* The listening socket of one HTTP address. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#include "log/log.h"
#include "loop/event_later.h"
#include "net/accept_peer.h"
#include "net/accept_failure.h"
#include "http/http_accept.h"
#include "http/http_conns.h"
#include "net/listen_socket.h"
#include "metrics/metrics.h"

#define BACKLOG               4096
#define ACCEPTS_PER_ITERATION 16
#define PAUSE_MS              100
/*
 * Bounds on what the kernel holds for one connection, in bytes; the kernel
 * doubles both.  The send buffer takes a whole page, the receive buffer a head.
 */
#define SEND_BUFFER    131072
#define RECEIVE_BUFFER 16384

static void pause_for_now(struct http_accept *accept)
{
	const struct timeval in = {.tv_usec = PAUSE_MS * 1000};

	(void)event_del(accept->event);
	event_later(accept->retry, &in);
}

/* Without a free descriptor accept(2) fails whether or not a client waits. */
static bool somebody_waits(const struct http_accept *accept)
{
	struct pollfd look = {.fd = accept->fd, .events = POLLIN};

	return poll(&look, 1, 0) == 1;
}

/* Accepts a client although no descriptor is free: another connection is closed
 * for it, or it gets the reserved descriptor.  Returns whether it worked. */
static bool squeeze_in(struct http_accept *accept)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd;

	if (http_conns_evict(accept->conns) == 0)
		return true;
	fd = spare_accept(
		&accept->spare, accept->fd, (struct sockaddr *)&from, &len);
	if (fd < 0)
		return false;
	http_conns_add(accept->conns, fd, &from);
	return true;
}

/* accept(2) has failed.  Returns whether to go on accepting in this event. */
static bool failed(struct http_accept *accept, int error)
{
	switch (accept_failure(metrics_shard(RELAY_CONTROL), error)) {
	case ACCEPT_EMPTY:
		return false;
	case ACCEPT_ANOTHER:
		return true;
	case ACCEPT_CROWDED:
		if (!somebody_waits(accept))
			return false;
		if (squeeze_in(accept))
			return true;
		break;
	case ACCEPT_LATER:
		break;
	}
	relay_log_seldom(NULL, RELAY_WARNING, &accept->failures,
		"cannot accept a connection on the %s: %s; tries again",
		accept->what, strerror(error));
	pause_for_now(accept);
	return false;
}

static bool accept_one(struct http_accept *accept)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd = accept_peer(accept->fd, (struct sockaddr *)&from, &len);

	if (fd < 0)
		return failed(accept, errno);
	http_conns_add(accept->conns, fd, &from);
	return true;
}

static void acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct http_accept *accept = arg;

	(void)fd;
	(void)what;
	if (accept->spare < 0)
		accept->spare = spare_open();
	http_conns_bound(accept->conns, accept->limit(accept->arg));
	for (int i = 0; i < ACCEPTS_PER_ITERATION; i++)
		if (!accept_one(accept))
			break;
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_accept *accept = arg;

	(void)fd;
	(void)what;
	if (event_add(accept->event, NULL) != 0)
		pause_for_now(accept);
}

/* Accepted sockets inherit these sizes.  A container's filter may refuse them.
 */
static void bound_buffers(int fd)
{
	const int send = SEND_BUFFER, receive = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive,
			sizeof(receive)) != 0)
		log_core(RELAY_WARNING,
			"the buffers of connections to the status address "
			"keep the kernel's size, which is more memory: %s",
			strerror(errno));
}

int http_accept_open(struct http_accept *accept, struct event_base *base,
	int fd, struct relay_err *err)
{
	accept->fd = fd;
	accept->spare = spare_open();
	relay_fail(err, "no memory");
	bound_buffers(fd);
	if (listen(fd, BACKLOG) != 0) {
		relay_fail(err, "%s", strerror(errno));
		goto error;
	}
	accept->event =
		event_new(base, fd, EV_READ | EV_PERSIST, acceptable, accept);
	accept->retry = evtimer_new(base, retry, accept);
	if (accept->event && accept->retry &&
		event_add(accept->event, NULL) == 0)
		return 0;
error:
	http_accept_close(accept);
	return -1;
}

void http_accept_close(struct http_accept *accept)
{
	if (accept->event)
		event_free(accept->event);
	if (accept->retry)
		event_free(accept->retry);
	accept->event = accept->retry = NULL;
	if (accept->spare >= 0)
		(void)close(accept->spare);
	if (accept->fd >= 0)
		(void)close(accept->fd);
	accept->spare = accept->fd = -1;
}

void http_accept_retire(struct http_accept *accept)
{
	listen_socket_deafen(accept->fd);
	/* The accept queue is no longer than this, and no new client enters it.
	 */
	for (int i = 0; i <= BACKLOG; i++)
		if (!accept_one(accept))
			break;
	http_accept_close(accept);
}

void http_accept_pause(struct http_accept *accept)
{
	if (!accept->event)
		return;
	(void)event_del(accept->event);
	(void)event_del(accept->retry);
}

void http_accept_resume(struct http_accept *accept)
{
	if (accept->event)
		retry(-1, 0, accept);
}
