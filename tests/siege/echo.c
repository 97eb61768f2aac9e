/* SPDX-License-Identifier: MPL-2.0 */

/* A ping-pong at a constant rate. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "echo.h"
#include "meter.h"
#include "steady.h"

#define SIZE 64

struct echo {
	struct siege *siege;
	struct kind *kind;
	int client, server;
	struct steady pace;
	struct event at_server, at_client;
	bool under_way;
	int64_t begin_ns;
};

static void stop(struct echo *echo, enum failure why)
{
	steady_stop(&echo->pace);
	event_del(&echo->at_server);
	event_del(&echo->at_client);
	if (!echo->under_way)
		echo->kind->under_way++;
	echo->under_way = false;
	kind_ended(echo->kind, echo->begin_ns, why);
}

static void at_server(evutil_socket_t fd, short what, void *arg)
{
	struct echo *echo = arg;
	uint8_t data[SIZE];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	(void)what;
	if (n > 0) {
		if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
			stop(echo, FAILURE_RESET);
	} else if (n == 0 || errno != EAGAIN) {
		stop(echo, n ? failure_of_errno(errno) : FAILURE_CLOSED);
	}
}

static void at_client(evutil_socket_t fd, short what, void *arg)
{
	struct echo *echo = arg;
	uint8_t data[SIZE];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	(void)what;
	if (n == SIZE && echo->under_way) {
		echo->under_way = false;
		kind_ended(echo->kind, echo->begin_ns,
			memcmp(data, pattern_at(0, 0), SIZE) ? FAILURE_DATA
							     : FAILURE_NONE);
	} else if (n >= 0 || errno != EAGAIN) {
		stop(echo, n < 0 ? failure_of_errno(errno) : FAILURE_CLOSED);
	}
}

static void ask(void *arg)
{
	struct echo *echo = arg;

	if (echo->under_way)
		return;
	echo->under_way = true;
	echo->kind->under_way++;
	echo->begin_ns = meter_now_ns();
	if (send(echo->client, pattern_at(0, 0), SIZE, MSG_NOSIGNAL) != SIZE)
		stop(echo, failure_of_errno(errno));
}

struct echo *echo_create(struct siege *siege, int client, int server,
	int64_t every_ms, const bool *over, struct kind *kind)
{
	struct echo *echo = calloc(1, sizeof(*echo));
	struct event_base *base = siege->bench.base;

	if (!echo)
		return NULL;
	*echo = (struct echo){.siege = siege,
		.kind = kind,
		.client = client,
		.server = server};
	event_assign(&echo->at_server, base, server, EV_READ | EV_PERSIST,
		at_server, echo);
	event_assign(&echo->at_client, base, client, EV_READ | EV_PERSIST,
		at_client, echo);
	event_add(&echo->at_server, NULL);
	event_add(&echo->at_client, NULL);
	steady_start(&echo->pace, base, every_ms, over, ask, echo);
	return echo;
}

void echo_destroy(struct echo *echo)
{
	if (!echo)
		return;
	steady_stop(&echo->pace);
	event_del(&echo->at_server);
	event_del(&echo->at_client);
	free(echo);
}
