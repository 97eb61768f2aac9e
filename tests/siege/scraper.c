/* SPDX-License-Identifier: MPL-2.0 */

/* Minimal HTTP: one request, and the answer until the connection ends. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "meter.h"
#include "scraper.h"
#include "steady.h"

#define PLACES       64
#define REQUEST_SIZE 512
#define READ_SIZE    65536
#define STATUS_LEN   12 /* HTTP/1.1 200 */

struct fetch {
	struct scraper *all;
	int fd; /* -1: none */
	struct event event, patience;
	char status[STATUS_LEN];
	size_t got; /* of status */
	int64_t begin_ns;
};

struct scraper {
	struct siege *siege;
	struct kind *kind;
	struct steady pace;
	char request[REQUEST_SIZE];
	size_t request_len;
	struct fetch fetches[PLACES];
};

static void end(struct fetch *fetch, enum failure why)
{
	event_del(&fetch->event);
	event_del(&fetch->patience);
	close(fetch->fd);
	fetch->fd = -1;
	kind_ended(fetch->all->kind, fetch->begin_ns, why);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, FAILURE_TIMEOUT);
}

static enum failure judge(const struct fetch *fetch)
{
	if (fetch->got < STATUS_LEN)
		return FAILURE_CLOSED;
	return memcmp(fetch->status + 8, " 200", 4) ? FAILURE_REFUSED
						    : FAILURE_NONE;
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *fetch = arg;
	char buffer[READ_SIZE];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	size_t wanted = STATUS_LEN - fetch->got;

	(void)what;
	if (n < 0 && errno != EAGAIN)
		end(fetch, failure_of_errno(errno));
	else if (n == 0)
		end(fetch, judge(fetch));
	if (n <= 0)
		return;
	if (wanted > (size_t)n)
		wanted = (size_t)n;
	memcpy(fetch->status + fetch->got, buffer, wanted);
	fetch->got += wanted;
}

static void connected(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *fetch = arg;
	const struct scraper *all = fetch->all;
	int error = dial_error(fd);

	(void)what;
	if (!error && send(fd, all->request, all->request_len, MSG_NOSIGNAL) !=
			      (ssize_t)all->request_len)
		error = errno;
	if (error) {
		end(fetch, failure_of_errno(error));
		return;
	}
	event_assign(&fetch->event, all->siege->bench.base, fd,
		EV_READ | EV_PERSIST, readable, fetch);
	event_add(&fetch->event, NULL);
}

static void begin(struct fetch *fetch)
{
	struct scraper *all = fetch->all;
	struct bench *bench = &all->siege->bench;

	fetch->got = 0;
	fetch->begin_ns = meter_now_ns();
	all->kind->under_way++;
	fetch->fd = dial_to(bench, &all->siege->http);
	if (fetch->fd < 0) {
		kind_ended(all->kind, fetch->begin_ns, FAILURE_LOCAL);
		return;
	}
	event_assign(&fetch->event, bench->base, fetch->fd, EV_WRITE, connected,
		fetch);
	event_add(&fetch->event, NULL);
	evtimer_add(&fetch->patience, bench->patience);
}

/* Uses a free place, if there is one. */
static void begin_one(void *arg)
{
	struct scraper *all = arg;
	size_t i = 0;

	while (i < PLACES && all->fetches[i].fd >= 0)
		i++;
	if (i < PLACES)
		begin(&all->fetches[i]);
}

struct scraper *scraper_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind)
{
	struct scraper *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->siege = siege;
	all->kind = kind;
	all->request_len = (size_t)snprintf(all->request, sizeof(all->request),
		"GET %.400s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\n\r\n",
		siege->path);
	for (size_t i = 0; i < PLACES; i++) {
		struct fetch *fetch = &all->fetches[i];

		fetch->all = all;
		fetch->fd = -1;
		evtimer_assign(&fetch->patience, siege->bench.base,
			out_of_patience, fetch);
	}
	steady_start(
		&all->pace, siege->bench.base, every_ms, over, begin_one, all);
	return all;
}

void scraper_destroy(struct scraper *scraper)
{
	if (!scraper)
		return;
	steady_stop(&scraper->pace);
	for (size_t i = 0; i < PLACES; i++) {
		if (scraper->fetches[i].fd >= 0)
			end(&scraper->fetches[i], FAILURE_NONE);
	}
	free(scraper);
}
