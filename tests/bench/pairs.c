/* SPDX-License-Identifier: MPL-2.0 */

/* Pairs of sockets through a relay, a transit relay or a proxy, or direct. */

#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "meter.h"
#include "pairs.h"

#define BACKLOG     128
#define SPARE_TRIES 20

static void nothing(const uint8_t *id, void *arg)
{
	(void)id;
	(void)arg;
}

static void collect(int client, int server, int64_t took_ns, void *arg)
{
	struct pairs *pairs = arg;

	if (!pairs->count)
		pairs->setup_ns = took_ns;
	pairs->list[pairs->count++] = (struct pair){client, server};
}

static bool meet_device(
	struct pairs *pairs, struct bench *bench, size_t device, size_t count)
{
	size_t parallel = (size_t)bench->settings->parallel;
	const size_t want = pairs->count + count;

	pairs->plans[device] = (struct meetings_plan){
		.count = count + count / 4 + SPARE_TRIES,
		.enough = count,
		.parallel = parallel < count ? parallel : count,
		.begun = nothing,
		.met = collect,
		.arg = pairs,
	};
	pairs->meetings[device] = meetings_run(bench, &pairs->plans[device]);
	return pairs->count == want;
}

static void relay_pairs(struct pairs *pairs, struct bench *bench, size_t count)
{
	for (size_t i = 0; i < PAIRS_DEVICES && pairs->count < count; i++) {
		size_t left = count - pairs->count;

		if (!meet_device(pairs, bench, i,
			    left < PAIRS_OF_DEVICE ? left : PAIRS_OF_DEVICE))
			return;
	}
}

/* The address that the proxy, or this process, connects to. */
static int listen_locally(struct bench *bench)
{
	const int yes = 1;
	struct sockaddr_in address = bench->own;
	socklen_t len = sizeof(address);
	int fd;

	bench_stand(bench, BENCH_SERVER);
	address.sin_port = htons((uint16_t)bench->settings->backend_port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
		listen(fd, BACKLOG) ||
		getsockname(fd, (struct sockaddr *)&address, &len)) {
		close(fd);
		return -1;
	}
	if (bench->settings->direct)
		bench->server.sin_port = address.sin_port;
	return fd;
}

static bool wait_for(struct bench *bench, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, (int)bench->settings->client_timeout_ms) == 1;
}

bool pairs_pass(struct bench *bench, int from, int to)
{
	char byte = 0;

	return send(from, "x", 1, MSG_NOSIGNAL) == 1 &&
	       wait_for(bench, to, POLLIN) && recv(to, &byte, 1, 0) == 1 &&
	       byte == 'x';
}

/* Pairs are made one after the other, so that the connection that is accepted
 * is the one that was just made. */
static bool make_pair(struct bench *bench, int listener, struct pair *pair)
{
	const int yes = 1;

	bench_stand(bench, BENCH_CLIENT);
	pair->client = dial(bench);
	pair->server = -1;
	if (pair->client < 0 || !wait_for(bench, pair->client, POLLOUT) ||
		dial_error(pair->client) || !wait_for(bench, listener, POLLIN))
		return false;
	pair->server =
		accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (pair->server < 0)
		return false;
	(void)setsockopt(
		pair->server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return pairs_pass(bench, pair->client, pair->server) &&
	       pairs_pass(bench, pair->server, pair->client);
}

/* Sends the line of pair number `number`, which no other has. */
static bool ask(struct bench *bench, int *fd, unsigned number)
{
	char line[100];
	int len = snprintf(line, sizeof(line), "please relay %064u\n", number);

	*fd = dial(bench);
	return *fd >= 0 && wait_for(bench, *fd, POLLOUT) && !dial_error(*fd) &&
	       send(*fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

static bool is_answered(struct bench *bench, int fd)
{
	char answer[3];

	return wait_for(bench, fd, POLLIN) &&
	       recv(fd, answer, sizeof(answer), 0) == sizeof(answer) &&
	       memcmp(answer, "ok\n", sizeof(answer)) == 0;
}

static bool make_transit_pair(
	struct bench *bench, unsigned number, struct pair *pair)
{
	pair->server = -1;
	return ask(bench, &pair->client, number) &&
	       ask(bench, &pair->server, number) &&
	       is_answered(bench, pair->client) &&
	       is_answered(bench, pair->server) &&
	       pairs_pass(bench, pair->client, pair->server) &&
	       pairs_pass(bench, pair->server, pair->client);
}

static void transit_pairs(
	struct pairs *pairs, struct bench *bench, size_t count)
{
	struct pair pair = {-1, -1};

	while (pairs->count < count &&
		make_transit_pair(bench, (unsigned)pairs->count, &pair))
		pairs->list[pairs->count++] = pair;
	if (pairs->count < count)
		tally_add(&bench->tally, FAILURE_CONNECT);
}

static void plain_pairs(struct pairs *pairs, struct bench *bench, size_t count)
{
	int listener = listen_locally(bench);
	struct pair pair = {-1, -1};
	const int64_t begin_ns = meter_now_ns();

	while (listener >= 0 && pairs->count < count &&
		make_pair(bench, listener, &pair)) {
		if (!pairs->count)
			pairs->setup_ns = meter_now_ns() - begin_ns;
		pairs->list[pairs->count++] = pair;
	}
	if (pairs->count < count)
		tally_add(&bench->tally, FAILURE_CONNECT);
	if (listener >= 0)
		close(listener);
}

int pairs_make(struct pairs *out, struct bench *bench, size_t count)
{
	*out = (struct pairs){.list = calloc(count, sizeof(*out->list))};
	if (!out->list)
		return -1;
	if (bench->settings->relay)
		relay_pairs(out, bench, count);
	else if (bench->settings->transit_port)
		transit_pairs(out, bench, count);
	else
		plain_pairs(out, bench, count);
	if (out->count == count) {
		out->failed_setups = tally_total(&bench->tally);
		tally_clear(&bench->tally);
		return 0;
	}
	fprintf(stderr, "relay-load: %zu of %zu sessions came about\n",
		out->count, count);
	return -1;
}

void pairs_finish(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		close(pairs->list[i].client);
		close(pairs->list[i].server);
	}
	free(pairs->list);
	for (size_t i = 0; i < PAIRS_DEVICES; i++)
		meetings_destroy(pairs->meetings[i]);
}
