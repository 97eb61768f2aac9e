/* SPDX-License-Identifier: MPL-2.0 */

/* Listening sockets: every worker has one of each address (SO_REUSEPORT). */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "address.h"
#include "config.h"
#include "conn.h"
#include "core_metrics.h"
#include "capacity.h"
#include "listener.h"
#include "log.h"
#include "worker.h"

#define BACKLOG 4096
/* Accepted in one go, so that a flood leaves time for traffic. */
#define ACCEPTS_A_TURN 64
/* After an error that says nothing about the connection: try again later. */
#define PAUSE_MS 100

struct listener {
	struct worker *worker; /* borrowed */
	struct event *event;   /* owned */
	struct event *retry;   /* owned */
	int fd;                /* owned */
	int spare; /* owned; given up to say no when descriptors run out */
};

static struct {
	struct sockaddr_storage *bound; /* owned array */
	unsigned count;
	char text[300]; /* the first, as written, with its real port */
} addresses;

int relay_listen_address(unsigned i, struct sockaddr_storage *out)
{
	if (i >= addresses.count)
		return -1;
	*out = addresses.bound[i];
	return 0;
}

const char *relay_listen_text(void)
{
	return addresses.text;
}

static int open_socket(
	const struct sockaddr_storage *addr, socklen_t len, int64_t protocol)
{
	int fd = socket(
		addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, v6only = protocol == CORE_TCP6;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		goto error;
	if (addr->ss_family == AF_INET6 &&
		setsockopt(
			fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)))
		goto error;
	if (bind(fd, (const struct sockaddr *)addr, len) == 0)
		return fd;
error:
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

/*
 * SO_REUSEPORT would let a second server of the same user share the port and
 * take half of the connections: one socket without it finds that out.
 */
static int is_free(
	const struct sockaddr_storage *addr, socklen_t len, int64_t protocol)
{
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, v6only = protocol == CORE_TCP6, error = 0;

	if (fd < 0)
		return -1;
	if (addr->ss_family == AF_INET6)
		setsockopt(
			fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		bind(fd, (const struct sockaddr *)addr, len))
		error = errno;
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

/* 0, or an errno; then none of its sockets is open. */
static int bind_for_all(struct sockaddr_storage *addr, socklen_t len,
	int64_t protocol, unsigned at)
{
	int error = is_free(addr, len, protocol) == 0 ? 0 : errno;
	unsigned i;

	for (i = 0; i < workers_count() && !error; i++) {
		struct listener *own = &workers_get(i)->listeners[at];

		own->fd = open_socket(addr, len, protocol);
		/* Port 0: the first one's is everybody's. */
		if (own->fd < 0 ||
			getsockname(own->fd, (struct sockaddr *)addr, &len))
			error = errno;
	}
	while (error && i-- > 0) {
		struct listener *own = &workers_get(i)->listeners[at];

		if (own->fd >= 0)
			close(own->fd);
		own->fd = -1;
	}
	return error;
}

static int bind_one(
	const char *text, int64_t protocol, unsigned at, struct relay_err *err)
{
	struct sockaddr_storage *addr = &addresses.bound[at];
	socklen_t len;
	int error;

	if (address_resolve(text, protocol, addr, &len, err) != 0)
		return -1;
	error = bind_for_all(addr, len, protocol, at);
	/* A host without IPv6 is no reason not to serve IPv4. */
	if ((error == EAFNOSUPPORT || error == EADDRNOTAVAIL) &&
		text[0] == ':' && protocol == CORE_TCP &&
		address_resolve(text, CORE_TCP4, addr, &len, err) == 0) {
		log_core(RELAY_WARNING, "no IPv6 here: %s serves IPv4 only",
			text);
		error = bind_for_all(addr, len, CORE_TCP4, at);
	}
	if (!error)
		return 0;
	return relay_fail(
		err, "cannot listen on %s: %s", text, strerror(error));
}

static int listener_init(struct worker *worker, unsigned n)
{
	worker->listeners = calloc(n, sizeof(*worker->listeners));
	if (!worker->listeners)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		worker->listeners[i].worker = worker;
		worker->listeners[i].fd = -1;
		worker->listeners[i].spare = -1;
	}
	return 0;
}

int listeners_bind(
	const char *const *texts, int64_t protocol, struct relay_err *err)
{
	const char *colon;
	unsigned n = 0;

	while (texts[n])
		n++;
	addresses.bound = calloc(n ? n : 1, sizeof(*addresses.bound));
	if (!addresses.bound)
		return relay_fail(err, "out of memory");
	addresses.count = n;
	for (unsigned i = 0; i < workers_count(); i++)
		if (listener_init(workers_get(i), n) != 0)
			return relay_fail(err, "out of memory");
	for (unsigned i = 0; i < n; i++)
		if (bind_one(texts[i], protocol, i, err) != 0)
			return -1;
	if (n == 0)
		return relay_fail(err, "there is no address to listen on");
	colon = strrchr(texts[0], ':');
	snprintf(addresses.text, sizeof(addresses.text), "%.*s:%u",
		(int)(colon ? colon - texts[0] : 0), texts[0],
		address_port(&addresses.bound[0]));
	return 0;
}

int listeners_listen(struct relay_err *err)
{
	for (unsigned i = 0; i < workers_count(); i++)
		for (unsigned k = 0; k < addresses.count; k++)
			if (listen(workers_get(i)->listeners[k].fd, BACKLOG))
				return relay_fail(err, "cannot listen: %s",
					strerror(errno));
	return 0;
}

/* Says no to one connection with the descriptor that was kept for it. */
static int refuse_one(struct listener *listener)
{
	int fd;

	if (listener->spare < 0)
		return -1;
	close(listener->spare);
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? 0 : -1;
}

static void pause_accepting(struct listener *listener)
{
	const struct timeval wait = {0, PAUSE_MS * 1000};

	event_del(listener->event);
	event_add(listener->retry, &wait);
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	if (listener->spare < 0)
		listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (event_add(listener->event, NULL) != 0)
		pause_accepting(listener);
}

/* A flood must not fill the log. */
static void tell(struct worker *worker, const char *what)
{
	static struct relay_log_kind kind;

	relay_log_seldom(NULL, RELAY_WARNING, &kind,
		"refusing connections: %s (worker %d)", what,
		worker->loop.index);
}

/* Whether to go on accepting in this turn. */
static bool accept_failed(struct listener *listener, int error)
{
	struct metrics_shard *shard = listener->worker->shard;

	switch (error) {
	case EAGAIN:
		return false;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return true;
	case EMFILE:
	case ENFILE:
		core_count(
			shard, CORE_ACCEPT_ERRORS, CORE_ACCEPT_DESCRIPTORS, 1);
		tell(listener->worker, "no descriptors left");
		if (refuse_one(listener) == 0)
			return true;
		break;
	case ENOMEM:
	case ENOBUFS:
		core_count(shard, CORE_ACCEPT_ERRORS, CORE_ACCEPT_MEMORY, 1);
		break;
	default:
		core_count(shard, CORE_ACCEPT_ERRORS, CORE_ACCEPT_OTHER, 1);
		tell(listener->worker, strerror(error));
	}
	/* The listener stays readable: without a pause this would spin. */
	pause_accepting(listener);
	return false;
}

static void acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct worker *worker = listener->worker;

	(void)what;
	loop_tick(&worker->loop);
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int conn = accept4((int)fd, (struct sockaddr *)&from, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0) {
			if (!accept_failed(listener, errno))
				break;
		} else if (!capacity_enter()) {
			core_count(worker->shard, CORE_CONNECTIONS_REFUSED,
				CORE_REFUSED_LIMIT, 1);
			tell(worker, "all descriptors for peers are taken");
			close(conn);
		} else {
			conn_accept(worker, conn, &from);
		}
	}
	loop_event_over(&worker->loop);
}

int listeners_accept(struct worker *worker)
{
	for (unsigned i = 0; i < addresses.count; i++) {
		struct listener *own = &worker->listeners[i];

		own->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		own->event = event_new(worker->loop.base, own->fd,
			EV_READ | EV_PERSIST, acceptable, own);
		own->retry = evtimer_new(worker->loop.base, retry, own);
		if (!own->event || !own->retry ||
			event_add(own->event, NULL) != 0)
			return -1;
	}
	return 0;
}

void listeners_close(struct worker *worker)
{
	for (unsigned i = 0; worker->listeners && i < addresses.count; i++) {
		struct listener *own = &worker->listeners[i];

		if (own->event)
			event_free(own->event);
		if (own->retry)
			event_free(own->retry);
		if (own->fd >= 0)
			close(own->fd);
		if (own->spare >= 0)
			close(own->spare);
	}
	free(worker->listeners);
	worker->listeners = NULL;
}

void listeners_finish(void)
{
	free(addresses.bound);
	memset(&addresses, 0, sizeof(addresses));
}
