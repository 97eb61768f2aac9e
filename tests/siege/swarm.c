/* SPDX-License-Identifier: MPL-2.0 */

/* Plain connections with a small state each, replaced at each tick. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "pattern.h"
#include "swarm.h"

#define TICK_MS     2
#define READ_SIZE   65536
#define DEAF_BUFFER 4096

struct drone {
	struct swarm *all;
	int fd; /* -1: to be opened */
	bool connected;
	size_t sent; /* bytes sent of first and the random bytes, then of again
		      */
	bool repeating;
	struct event reading, writing, again;
};

struct swarm {
	struct bench *bench;
	struct sockaddr_in to;
	const struct swarm_plan *plan; /* borrowed */
	struct event tick;
	double may_open; /* connections allowed by the rate */
	unsigned dice;
	struct drone *drones;
	struct swarm_counts counts;
	uint8_t buffer[READ_SIZE];
};

static void end(struct drone *drone)
{
	const struct linger at_once = {.l_onoff = 1};

	event_del(&drone->reading);
	event_del(&drone->writing);
	event_del(&drone->again);
	if (drone->all->plan->reset)
		(void)setsockopt(drone->fd, SOL_SOCKET, SO_LINGER, &at_once,
			sizeof(at_once));
	close(drone->fd);
	drone->fd = -1;
}

static void ended_by_server(struct drone *drone)
{
	drone->all->counts.ended_by_server++;
	end(drone);
}

/* Returns whether everything was sent; if not, the drone may have ended. */
static bool send_from(struct drone *drone, const uint8_t *data, size_t len)
{
	ssize_t n = send(drone->fd, data, len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		ended_by_server(drone);
		return false;
	}
	if (n > 0) {
		drone->sent += (size_t)n;
		drone->all->counts.sent_bytes += (uint64_t)n;
	}
	if (n == (ssize_t)len)
		return true;
	event_add(&drone->writing, NULL);
	return false;
}

static bool send_first(struct drone *drone)
{
	const struct swarm_plan *plan = drone->all->plan;
	size_t whole = plan->first_len + plan->random_len;

	if (drone->sent < plan->first_len &&
		!send_from(drone, plan->first + drone->sent,
			plan->first_len - drone->sent))
		return false;
	if (drone->sent < whole)
		return send_from(drone, pattern_at(drone->all->dice++, 0),
			whole - drone->sent);
	return true;
}

static void repeat(struct drone *drone)
{
	const struct swarm_plan *plan = drone->all->plan;
	const struct timeval pause = {(time_t)(plan->again_ms / 1000),
		(suseconds_t)(plan->again_ms % 1000 * 1000)};

	/* Limited, so that others get their turn. */
	for (int i = 0; i < 16; i++) {
		if (!send_from(drone, plan->again + drone->sent,
			    plan->again_len - drone->sent))
			return;
		drone->sent = 0;
		if (plan->again_ms) {
			event_add(&drone->again, &pause);
			return;
		}
	}
	event_add(&drone->writing, NULL);
}

static void go_on(struct drone *drone)
{
	const struct swarm_plan *plan = drone->all->plan;

	if (!drone->repeating) {
		if (!send_first(drone))
			return;
		if (plan->end == SWARM_SENT) {
			end(drone);
			return;
		}
		drone->repeating = true;
		drone->sent = 0;
	}
	if (plan->again)
		repeat(drone);
}

static void writable(evutil_socket_t fd, short what, void *arg)
{
	struct drone *drone = arg;

	(void)what;
	if (!drone->connected) {
		if (dial_error(fd)) {
			ended_by_server(drone);
			return;
		}
		drone->connected = true;
		if (!drone->all->plan->stays)
			event_add(&drone->reading, NULL);
	}
	go_on(drone);
}

static void again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct drone *drone = arg;
	struct swarm *all = drone->all;
	ssize_t n;

	if (what & EV_CLOSED) {
		ended_by_server(drone);
		return;
	}
	n = recv(fd, all->buffer, sizeof(all->buffer), 0);
	if (n > 0) {
		all->counts.received_bytes += (uint64_t)n;
		if (all->plan->end == SWARM_ANSWERED)
			end(drone);
	} else if (n == 0 || errno != EAGAIN) {
		ended_by_server(drone);
	}
}

static void open_one(struct drone *drone)
{
	struct swarm *all = drone->all;
	const int small = DEAF_BUFFER;

	drone->fd = dial_to(all->bench, &all->to);
	if (drone->fd < 0) {
		all->counts.local_failures++;
		return;
	}
	all->counts.opened++;
	drone->connected = drone->repeating = false;
	drone->sent = 0;
	if (all->plan->deaf)
		(void)setsockopt(drone->fd, SOL_SOCKET, SO_RCVBUF, &small,
			sizeof(small));
	event_assign(&drone->reading, all->bench->base, drone->fd,
		(all->plan->deaf ? EV_CLOSED : EV_READ) | EV_PERSIST, readable,
		drone);
	event_assign(&drone->writing, all->bench->base, drone->fd, EV_WRITE,
		writable, drone);
	event_add(&drone->writing, NULL);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct swarm *all = arg;
	const struct timeval next = {0, TICK_MS * 1000};
	const int64_t per_s = all->plan->per_s;

	(void)fd;
	(void)what;
	all->may_open = per_s ? all->may_open + (double)per_s * TICK_MS / 1000
			      : (double)all->plan->open;
	for (size_t i = 0; i < all->plan->open && all->may_open >= 1; i++) {
		if (all->drones[i].fd >= 0)
			continue;
		all->may_open--;
		open_one(&all->drones[i]);
		if (all->drones[i].fd < 0)
			break; /* the socket is full */
	}
	if (per_s && all->may_open > (double)per_s / 10)
		all->may_open = (double)per_s / 10; /* limits later bursts */
	evtimer_add(&all->tick, &next);
}

struct swarm *swarm_create(struct bench *bench, const struct sockaddr_in *to,
	const struct swarm_plan *plan)
{
	struct swarm *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->bench = bench;
	all->to = *to;
	all->plan = plan;
	all->drones = calloc(plan->open, sizeof(*all->drones));
	if (!all->drones) {
		free(all);
		return NULL;
	}
	for (size_t i = 0; i < plan->open; i++) {
		all->drones[i].all = all;
		all->drones[i].fd = -1;
		evtimer_assign(&all->drones[i].again, bench->base, again,
			&all->drones[i]);
	}
	evtimer_assign(&all->tick, bench->base, tick, all);
	event_active(&all->tick, EV_TIMEOUT, 0);
	return all;
}

const struct swarm_counts *swarm_counts(const struct swarm *swarm)
{
	return &swarm->counts;
}

void swarm_destroy(struct swarm *swarm)
{
	if (!swarm)
		return;
	event_del(&swarm->tick);
	for (size_t i = 0; i < swarm->plan->open; i++) {
		if (swarm->drones[i].fd >= 0)
			end(&swarm->drones[i]);
	}
	free(swarm->drones);
	free(swarm);
}
