/* SPDX-License-Identifier: MPL-2.0 */

/* Two sockets of a session, both of which send and receive. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "meter.h"
#include "transfer.h"

#define READ_SIZE 65536

enum side { CLIENT, SERVER, SIDES };

struct way {
	struct transfer *transfer;
	struct event event;
	int fd;
	unsigned stream; /* the one sent; the received one is stream ^ 1 */
	size_t sent, received;
};

struct transfer {
	struct kind *kind;
	struct event patience;
	size_t bytes;
	int64_t begin_ns;
	struct way ways[SIDES];
};

static void finish(struct transfer *t, enum failure why)
{
	kind_ended(t->kind, t->begin_ns, why);
	event_del(&t->patience);
	for (int side = 0; side < SIDES; side++) {
		event_del(&t->ways[side].event);
		close(t->ways[side].fd);
	}
	free(t);
}

/* The failure, or FAILURE_NONE. */
static enum failure send_some(struct way *way)
{
	size_t left = way->transfer->bytes - way->sent;
	ssize_t n;

	if (!left)
		return FAILURE_NONE;
	n = send(way->fd, pattern_at(way->stream, way->sent), left,
		MSG_NOSIGNAL);
	if (n > 0)
		way->sent += (size_t)n;
	else if (errno != EAGAIN)
		return failure_of_errno(errno);
	return FAILURE_NONE;
}

static enum failure receive_some(struct way *way)
{
	uint8_t buffer[READ_SIZE];
	ssize_t n = recv(way->fd, buffer, sizeof(buffer), 0);

	if (n == 0)
		return FAILURE_CLOSED;
	if (n < 0)
		return errno == EAGAIN ? FAILURE_NONE : failure_of_errno(errno);
	if (way->received + (size_t)n > way->transfer->bytes ||
		!pattern_fits(
			way->stream ^ 1U, way->received, buffer, (size_t)n))
		return FAILURE_DATA;
	way->received += (size_t)n;
	return FAILURE_NONE;
}

static void watch(struct way *way);

static bool complete(const struct transfer *t)
{
	return t->ways[CLIENT].received == t->bytes &&
	       t->ways[SERVER].received == t->bytes;
}

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct way *way = arg;
	enum failure why = FAILURE_NONE;

	(void)fd;
	if (what & EV_WRITE)
		why = send_some(way);
	if (!why && what & EV_READ)
		why = receive_some(way);
	if (why || complete(way->transfer))
		finish(way->transfer, why);
	else
		watch(way);
}

static void watch(struct way *way)
{
	struct event_base *base = event_get_base(&way->event);

	event_assign(&way->event, base, way->fd,
		(short)(EV_READ |
			(way->sent < way->transfer->bytes ? EV_WRITE : 0)),
		ready, way);
	event_add(&way->event, NULL);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, FAILURE_TIMEOUT);
}

void transfer_start(struct siege *siege, int client, int server, size_t bytes,
	struct kind *kind)
{
	struct transfer *t = calloc(1, sizeof(*t));
	const int fds[SIDES] = {client, server};

	kind->under_way++;
	if (!t) {
		kind_ended(kind, 0, FAILURE_LOCAL);
		close(client);
		close(server);
		return;
	}
	t->kind = kind;
	t->bytes = bytes;
	t->begin_ns = meter_now_ns();
	evtimer_assign(&t->patience, siege->bench.base, out_of_patience, t);
	evtimer_add(&t->patience, siege->bench.patience);
	for (int side = 0; side < SIDES; side++) {
		struct way *way = &t->ways[side];

		way->transfer = t;
		way->fd = fds[side];
		way->stream = (unsigned)side;
		event_assign(&way->event, siege->bench.base, way->fd,
			EV_READ | EV_WRITE, ready, way);
		event_add(&way->event, NULL);
	}
}
