/* SPDX-License-Identifier: MPL-2.0 */

/* One listening socket of one worker. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"
#include "loop/event_later.h"
#include "peers/peer_metrics.h"
#include "net/accept_peer.h"
#include "net/accept_failure.h"
#include "net/listen_socket.h"
#include "net/socket_memory.h"
#include "peers/stranger_eviction.h"
#include "peers/conn_accept.h"
#include "peers/listener.h"
#include "peers/listener_facts.h"
#include "peers/peers_shared.h"
#include "peers/proxy_accept.h"
#include "workers/worker.h"

/* The most that are accepted per loop iteration, so that a flood leaves time
 * for traffic. */
#define ACCEPTS_PER_ITERATION 64
/* The pause after an error that is not due to one connection. */
#define PAUSE_MS 100

static void pause_accepting(struct listener *listener)
{
	const struct timeval wait = {0, PAUSE_MS * 1000};

	event_del(listener->event);
	event_later(listener->retry, &wait);
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	if (listener->spare < 0)
		listener->spare = spare_open();
	if (event_add(listener->event, NULL) != 0)
		pause_accepting(listener);
}

/* A flood must not fill the log. */
static void tell(struct worker *worker, const char *what)
{
	log_core_seldom(RELAY_WARNING, &peers_shared()->no_accept,
		"refusing connections: %s (worker %d)", what,
		worker->loop.index);
}

/* Whether to go on accepting in this iteration. */
static bool accept_failed(struct listener *listener, int error)
{
	switch (accept_failure(listener->worker->shard, error)) {
	case ACCEPT_EMPTY:
		return false;
	case ACCEPT_ANOTHER:
		return true;
	case ACCEPT_CROWDED:
		tell(listener->worker, strerror(error));
		if (stranger_evict(listener->worker) ||
			spare_refuse(&listener->spare, listener->fd) == 0)
			return true;
		break;
	case ACCEPT_LATER:
		tell(listener->worker, strerror(error));
	}
	/* The listener stays readable: without a pause the loop would spin.
	 */
	pause_accepting(listener);
	return false;
}

/* Whether to go on accepting. */
static bool accept_one(struct listener *listener)
{
	struct worker *worker = listener->worker;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int conn = accept_peer(listener->fd, (struct sockaddr *)&from, &len);

	if (conn < 0)
		return accept_failed(listener, errno);
	if (!proxy_admits(worker, listener->facts, &from)) {
		close(conn);
		return true;
	}
	if (capacity_enter_or_evict(worker)) {
		if (listener->facts->trust) {
			proxy_accept(worker, conn, listener->facts);
			return true;
		}
		listener_count(listener->facts, LISTENER_ACCEPTED);
		(void)conn_accept(worker, conn, &from, NULL, listener->facts);
		return true;
	}
	peer_count(
		worker->shard, PEER_CONNECTIONS_REFUSED, PEER_REFUSED_LIMIT, 1);
	listener_count(listener->facts, LISTENER_FULL);
	tell(worker, "all descriptors for peers are taken");
	close(conn);
	return true;
}

static void acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct worker *worker = listener->worker;

	(void)fd;
	(void)what;
	loop_tick(&worker->loop);
	for (int i = 0; i < ACCEPTS_PER_ITERATION; i++)
		if (!accept_one(listener))
			break;
	loop_event_over(&worker->loop);
}

void listener_init(struct listener *listener, struct worker *worker)
{
	*listener = (struct listener){.worker = worker, .fd = -1, .spare = -1};
}

int listener_start(struct listener *listener)
{
	struct event_base *base = listener->worker->loop.base;

	if (socket_memory_begin_small(listener->fd) != 0)
		log_core(RELAY_DEBUG,
			"cannot limit the receive buffers of new connections: "
			"%s",
			strerror(errno));
	listener->spare = spare_open();
	listener->event = event_new(
		base, listener->fd, EV_READ | EV_PERSIST, acceptable, listener);
	listener->retry = evtimer_new(base, retry, listener);
	return listener->event && listener->retry &&
			       event_add(listener->event, NULL) == 0
		       ? 0
		       : -1;
}

void listener_pause(struct listener *listener)
{
	if (listener->event)
		event_del(listener->event);
	if (listener->retry)
		event_del(listener->retry);
}

int listener_resume(struct listener *listener)
{
	return listener->event ? event_add(listener->event, NULL) : 0;
}

void listener_close(struct listener *listener)
{
	if (listener->event)
		event_free(listener->event);
	if (listener->retry)
		event_free(listener->retry);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->spare >= 0)
		close(listener->spare);
	listener_init(listener, listener->worker);
}

int listener_drain(struct listener *listener)
{
	listen_socket_deafen(listener->fd);
	/* No queue is longer than this, and no new connection enters it. */
	for (int i = 0; i <= LISTENER_BACKLOG; i++)
		if (!accept_one(listener))
			break;
	listener_close(listener);
	return 0;
}
