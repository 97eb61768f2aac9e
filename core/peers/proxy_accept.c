/* SPDX-License-Identifier: MPL-2.0 */

/* Connections of a proxy: reads the header with the client's address. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "log/log.h"
#include "net/capacity.h"
#include "net/proxy_header.h"
#include "net/proxy_trust.h"
#include "peers/conn_accept.h"
#include "peers/listener_facts.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/proxy_accept.h"
#include "peers/socket_end.h"
#include "workers/deadlines.h"
#include "workers/workers.h"

/* A connection whose header is not complete. */
struct proxy_waiting {
	struct worker *worker;               /* borrowed */
	struct proxy_waiting *older, *newer; /* of the same worker */
	struct listener_facts *facts;        /* shared */
	struct deadline deadline;
	struct event event;
	int fd; /* owned, and counted by capacity_enter() */
	bool hung_up;
};

static const char *const reasons[] = {
	[PEER_PROXY_UNTRUSTED] = "it does not come from proxy-from",
	[PEER_PROXY_BAD] = "it does not begin with a PROXY header",
	[PEER_PROXY_LONG] = "its PROXY header is too long",
	[PEER_PROXY_CHECKSUM] = "the checksum of its PROXY header is wrong",
	[PEER_PROXY_TIME] = "its PROXY header did not come in time",
	[PEER_PROXY_ROOM] = "too many connections wait for a PROXY header",
	[PEER_PROXY_MEMORY] = "no memory",
};

static void note(struct worker *worker, const struct listener_facts *facts,
	enum peer_proxy_label what)
{
	peer_count(worker->shard, PEER_PROXY_CONNECTIONS, what, 1);
	if (what == PEER_PROXY_CLIENT)
		listener_count(facts, LISTENER_ACCEPTED);
	else if (what != PEER_PROXY_CHECK)
		listener_count(facts, LISTENER_UNPROXIED);
	if (what < sizeof(reasons) / sizeof(*reasons) && reasons[what])
		relay_log_seldom(NULL, RELAY_NOTICE,
			&peers_shared()->bad_proxies,
			"closed a connection to an address for proxies only: "
			"%s",
			reasons[what]);
}

static void drop(struct worker *worker, int fd,
	const struct listener_facts *facts, enum peer_proxy_label what)
{
	note(worker, facts, what);
	capacity_leave();
	close(fd);
}

/* Reads exactly the header, which has come.  0 or -1. */
static int consume(int fd, size_t len)
{
	unsigned char bytes[PROXY_HEADER_MOST];
	ssize_t got;

	do
		got = recv(fd, bytes, len, 0);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)len ? 0 : -1;
}

/* What the first bytes of a connection say. */
struct beginning {
	bool closed; /* nothing more will come */
	enum proxy_header_kind kind;
	struct proxy_header header;
};

/* Whether there is nothing more to wait for. */
static bool look(int fd, bool hung_up, struct beginning *out)
{
	unsigned char bytes[PROXY_HEADER_MOST];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	bool again = got < 0 && (errno == EAGAIN || errno == EINTR);

	*out = (struct beginning){.kind = PROXY_HEADER_PART};
	if (got > 0)
		out->kind = proxy_header_read(bytes, (size_t)got, &out->header);
	out->closed = hung_up || (got <= 0 && !again);
	return out->closed || out->kind != PROXY_HEADER_PART;
}

static void settle(struct worker *worker, int fd, struct listener_facts *facts,
	const struct beginning *begins)
{
	static const enum peer_proxy_label labels[] = {
		[PROXY_HEADER_PART] = PEER_PROXY_CLOSED,
		[PROXY_HEADER_CHECK] = PEER_PROXY_CHECK,
		[PROXY_HEADER_BAD] = PEER_PROXY_BAD,
		[PROXY_HEADER_LONG] = PEER_PROXY_LONG,
		[PROXY_HEADER_CHECKSUM] = PEER_PROXY_CHECKSUM};
	const struct proxy_header *header = &begins->header;

	if (header->len && consume(fd, header->len) != 0) {
		drop(worker, fd, facts, PEER_PROXY_CLOSED);
	} else if (begins->kind != PROXY_HEADER_PEER) {
		drop(worker, fd, facts, labels[begins->kind]);
	} else {
		note(worker, facts, PEER_PROXY_CLIENT);
		(void)conn_accept(
			worker, fd, &header->from, &header->to, facts);
	}
}

static void unlink_it(struct proxy_waiting *one)
{
	struct peers *peers = peers_of(one->worker);

	if (one->older)
		one->older->newer = one->newer;
	else
		peers->proxies_oldest = one->newer;
	if (one->newer)
		one->newer->older = one->older;
	else
		peers->proxies_newest = one->older;
	peers->proxies_waiting--;
	peer_count(one->worker->shard, PEER_PROXY_WAITING, 0, -1);
}

/* Its descriptor is another's now, or will be closed. */
static void forget(struct proxy_waiting *one)
{
	event_del(&one->event);
	deadline_clear(one->worker, &one->deadline);
	unlink_it(one);
	listener_facts_leave(one->facts);
	free(one);
}

static void give_up(struct proxy_waiting *one, enum peer_proxy_label what)
{
	struct listener_facts *facts = listener_facts_share(one->facts);
	struct worker *worker = one->worker;
	int fd = one->fd;

	forget(one);
	drop(worker, fd, facts, what);
	listener_facts_leave(facts);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_waiting *one = arg;
	struct worker *worker = one->worker;
	struct listener_facts *facts = one->facts;
	struct beginning begins;

	loop_tick(&worker->loop);
	if (what & EV_CLOSED)
		one->hung_up = true;
	/* What had come before a reset can still be read, and hides it. */
	if (look(fd, one->hung_up, &begins) || socket_broken(fd)) {
		/* The client's connection will watch the descriptor. */
		listener_facts_share(facts);
		forget(one);
		settle(worker, fd, facts, &begins);
		listener_facts_leave(facts);
	}
	loop_event_over(&worker->loop);
}

static void overdue(struct deadline *deadline)
{
	give_up((struct proxy_waiting *)(void *)((char *)deadline -
						 offsetof(struct proxy_waiting,
							 deadline)),
		PEER_PROXY_TIME);
}

static unsigned most_of_worker(void)
{
	int64_t most = capacity_limit() / PROXY_WAITING_SHARE;

	if (most > PROXY_WAITING_MOST)
		most = PROXY_WAITING_MOST;
	most /= workers_count();
	return most > 1 ? (unsigned)most : 1;
}

static int watch(struct proxy_waiting *one)
{
	if (event_assign(&one->event, one->worker->loop.base, one->fd,
		    EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, readable,
		    one) != 0)
		return -1;
	return event_add(&one->event, NULL);
}

static void wait_for_header(
	struct worker *worker, int fd, struct listener_facts *facts)
{
	struct peers *peers = peers_of(worker);
	struct proxy_waiting *one = calloc(1, sizeof(*one));

	if (one) {
		one->worker = worker;
		one->fd = fd;
	}
	if (!one || watch(one) != 0) {
		free(one);
		drop(worker, fd, facts, PEER_PROXY_MEMORY);
		return;
	}
	/* Who waits longest is least likely to be a proxy that works. */
	if (peers->proxies_waiting >= most_of_worker())
		give_up(peers->proxies_oldest, PEER_PROXY_ROOM);
	one->facts = listener_facts_share(facts);
	one->deadline.due = overdue;
	deadline_set(worker, &one->deadline, loop_clock_ms() + PROXY_HEADER_MS);
	one->older = peers->proxies_newest;
	if (one->older)
		one->older->newer = one;
	else
		peers->proxies_oldest = one;
	peers->proxies_newest = one;
	peers->proxies_waiting++;
	peer_count(worker->shard, PEER_PROXY_WAITING, 0, 1);
}

bool proxy_admits(struct worker *worker, const struct listener_facts *facts,
	const struct sockaddr_storage *host)
{
	if (!facts->trust || proxy_trust_has(facts->trust, host))
		return true;
	note(worker, facts, PEER_PROXY_UNTRUSTED);
	return false;
}

void proxy_accept(struct worker *worker, int fd, struct listener_facts *facts)
{
	struct beginning begins;

	if (look(fd, false, &begins))
		settle(worker, fd, facts, &begins);
	else
		wait_for_header(worker, fd, facts);
}

void proxy_waiting_end(struct worker *worker)
{
	struct peers *peers = peers_of(worker);

	while (peers->proxies_oldest)
		give_up(peers->proxies_oldest, PEER_PROXY_CLOSED);
}
