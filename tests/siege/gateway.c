/* SPDX-License-Identifier: MPL-2.0 */

/* Answers searches for a gateway, and describes itself without end. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define SSDP_PORT    1900
#define SSDP_GROUP   "239.255.255.250"
#define KIND         "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#define SEARCH_SIZE  2048
#define REQUEST_SIZE 4096
/* A server searches at its start, and again after some seconds. */
#define PATIENCE_S 30
#define TALKS      16
/* For each connection: a server without a limit shall not fill the machine. */
#define TALK_MOST 67108864

/* One connection for the description. */
struct talk {
	struct gateway *all;
	int fd; /* -1: none */
	bool headed;
	size_t at, sent; /* bytes of the current piece, and in all */
	struct event reading, writing, again;
};

struct gateway {
	struct siege *siege;
	const struct gateway_plan *plan;
	void (*found)(void *arg);
	void *arg;
	int hears, speaks, listens;
	struct event searched, connected, patience;
	char answer[512];
	struct talk talks[TALKS];
	struct gateway_counts counts;
};

static void end(struct talk *talk)
{
	event_del(&talk->reading);
	event_del(&talk->writing);
	event_del(&talk->again);
	close(talk->fd);
	talk->fd = -1;
}

/* Sends the rest of one piece.  False: no more can be sent now, or ever. */
static bool send_piece(struct talk *talk)
{
	const struct gateway_plan *plan = talk->all->plan;
	const char *piece =
		(talk->headed ? plan->again : plan->head) + talk->at;
	size_t len = strlen(piece);
	ssize_t n = send(talk->fd, piece, len, MSG_NOSIGNAL);

	if ((n < 0 && errno != EAGAIN) || talk->sent >= TALK_MOST) {
		end(talk);
		return false;
	}
	if (n > 0) {
		talk->all->counts.sent_bytes += (uint64_t)n;
		talk->sent += (size_t)n;
		talk->at += (size_t)n;
	}
	if (n < (ssize_t)len) {
		event_add(&talk->writing, NULL);
		return false;
	}
	talk->headed = true;
	talk->at = 0;
	return true;
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
	struct talk *talk = arg;
	const int64_t again_ms = talk->all->plan->again_ms;
	const struct timeval pause = {(time_t)(again_ms / 1000),
		(suseconds_t)(again_ms % 1000 * 1000)};

	(void)fd;
	(void)what;
	/* Limited, so that searches get their turn. */
	for (int i = 0; i < 16; i++) {
		if (!send_piece(talk))
			return;
		if (again_ms) {
			event_add(&talk->again, &pause);
			return;
		}
	}
	event_add(&talk->writing, NULL);
}

/* The request is not read to its end: what it says does not matter. */
static void asked(evutil_socket_t fd, short what, void *arg)
{
	char request[REQUEST_SIZE];

	if (recv(fd, request, sizeof(request), 0) > 0)
		go_on(fd, what, arg);
	else
		end(arg);
}

static void connected(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *all = arg;
	struct event_base *base = all->siege->bench.base;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i = 0;

	(void)what;
	while (i < TALKS && all->talks[i].fd >= 0)
		i++;
	if (peer < 0)
		return;
	all->counts.opened++;
	if (i == TALKS) {
		close(peer);
		return;
	}
	all->talks[i] = (struct talk){.all = all, .fd = peer};
	event_assign(&all->talks[i].reading, base, peer, EV_READ, asked,
		&all->talks[i]);
	event_assign(&all->talks[i].writing, base, peer, EV_WRITE, go_on,
		&all->talks[i]);
	event_assign(
		&all->talks[i].again, base, peer, 0, go_on, &all->talks[i]);
	event_add(&all->talks[i].reading, NULL);
}

static void searched(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *all = arg;
	char text[SEARCH_SIZE];
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	ssize_t n = recvfrom(
		fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&peer, &len);

	(void)what;
	if (n <= 0)
		return;
	text[n] = '\0';
	if (strncmp(text, "M-SEARCH", 8) != 0 || !strstr(text, KIND))
		return;
	/* Errors are ignored, as of any host that floods. */
	for (unsigned i = 0; i < all->plan->answers; i++)
		(void)sendto(all->speaks, all->answer, strlen(all->answer), 0,
			(const struct sockaddr *)&peer, len);
	if (all->counts.searches++ == 0) {
		event_del(&all->patience);
		all->found(all->arg);
	}
}

static void nobody_searches(evutil_socket_t fd, short what, void *arg)
{
	struct gateway *all = arg;

	(void)fd;
	(void)what;
	fprintf(stderr, "relay-siege: nobody searches for a gateway\n");
	bench_stop(&all->siege->bench);
}

/* A socket of that type at the own address, or at all of them; -1 with errno.
 */
static int open_at(int type, struct in_addr host, uint16_t port)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr = host,
		.sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_sockets(struct gateway *all)
{
	const struct in_addr own = all->siege->own, any = {INADDR_ANY};
	struct ip_mreq group = {.imr_interface = own};
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	char host[INET_ADDRSTRLEN];

	inet_pton(AF_INET, SSDP_GROUP, &group.imr_multiaddr);
	all->hears = open_at(SOCK_DGRAM, any, SSDP_PORT);
	all->speaks = open_at(SOCK_DGRAM, own, 0);
	all->listens = open_at(SOCK_STREAM, own, 0);
	if (all->hears < 0 || all->speaks < 0 || all->listens < 0 ||
		setsockopt(all->hears, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group,
			sizeof(group)) ||
		listen(all->listens, TALKS) ||
		getsockname(all->listens, (struct sockaddr *)&at, &len))
		return -1;
	inet_ntop(AF_INET, &own, host, sizeof(host));
	snprintf(all->answer, sizeof(all->answer),
		"HTTP/1.1 200 OK\r\nST: " KIND "\r\n"
		"LOCATION: http://%s:%u/device.xml\r\nUSN: uuid:siege\r\n\r\n",
		host, (unsigned)ntohs(at.sin_port));
	return 0;
}

struct gateway *gateway_create(struct siege *siege,
	const struct gateway_plan *plan, void (*found)(void *arg), void *arg)
{
	const struct timeval patience = {PATIENCE_S, 0};
	struct event_base *base = siege->bench.base;
	struct gateway *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	*all = (struct gateway){.siege = siege,
		.plan = plan,
		.found = found,
		.arg = arg,
		.hears = -1,
		.speaks = -1,
		.listens = -1};
	for (size_t i = 0; i < TALKS; i++)
		all->talks[i].fd = -1;
	evtimer_assign(&all->patience, base, nobody_searches, all);
	if (open_sockets(all)) {
		perror("relay-siege: gateway");
		gateway_destroy(all);
		return NULL;
	}
	event_assign(&all->searched, base, all->hears, EV_READ | EV_PERSIST,
		searched, all);
	event_assign(&all->connected, base, all->listens, EV_READ | EV_PERSIST,
		connected, all);
	event_add(&all->searched, NULL);
	event_add(&all->connected, NULL);
	evtimer_add(&all->patience, &patience);
	return all;
}

const struct gateway_counts *gateway_counts(const struct gateway *gateway)
{
	return &gateway->counts;
}

static void shut(int fd)
{
	if (fd >= 0)
		close(fd);
}

void gateway_destroy(struct gateway *gateway)
{
	if (!gateway)
		return;
	event_del(&gateway->patience);
	if (event_initialized(&gateway->searched)) {
		event_del(&gateway->searched);
		event_del(&gateway->connected);
	}
	for (size_t i = 0; i < TALKS; i++)
		if (gateway->talks[i].fd >= 0)
			end(&gateway->talks[i]);
	shut(gateway->hears);
	shut(gateway->speaks);
	shut(gateway->listens);
	free(gateway);
}
