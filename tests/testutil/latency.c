/* SPDX-License-Identifier: MPL-2.0 */

/* Measures the time of a TCP connect to each relay of a list. */

#include <stdlib.h>
#include <unistd.h>

#include "dial.h"
#include "latency.h"
#include "client_uri.h"

#define AT_ONCE    32
#define EACH_MS    1000  /* as the Go client */
#define OVERALL_MS 10000 /* a relay without answer by then is not near */

struct slot {
	struct latency *latency;
	struct dial *dial; /* owned; NULL: free */
	size_t candidate;
	int64_t begin_us;
};

struct latency {
	struct relay_client *client; /* borrowed */
	struct candidates *list;     /* borrowed */
	void (*done)(void *arg);
	void *arg;
	struct event *overall, *next; /* owned */
	size_t begun, running;
	struct slot slots[AT_ONCE];
};

/* Name resolution is not part of the latency. */
static void dial_found(void *arg)
{
	struct slot *slot = arg;

	slot->begin_us = client_now_us();
}

static void dial_done(int fd, const struct relay_client_error *why, void *arg)
{
	struct slot *slot = arg;
	struct latency *latency = slot->latency;

	(void)why;
	if (fd >= 0) {
		latency->list->all[slot->candidate].latency_us =
			client_now_us() - slot->begin_us;
		(void)close(fd);
	}
	dial_free(slot->dial);
	slot->dial = NULL;
	latency->running--;
	event_active(latency->next, EV_TIMEOUT, 0);
}

static const struct dial_handlers dial_handlers = {dial_found, dial_done};

/* A connection that cannot start counts as no answer. */
static void begin(struct latency *latency, struct slot *slot)
{
	struct client_uri uri;
	size_t i = latency->begun++;

	if (client_uri_parse(latency->list->all[i].uri, &uri, NULL))
		return;
	slot->candidate = i;
	slot->begin_us = client_now_us();
	slot->dial = dial_start(latency->client->base, uri.host, uri.port,
		EACH_MS, &dial_handlers, slot, NULL);
	if (!slot->dial)
		return;
	dial_restrict(slot->dial, latency->list->nearest);
	latency->running++;
}

static void next(evutil_socket_t fd, short what, void *arg)
{
	struct latency *latency = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < AT_ONCE; i++) {
		while (!latency->slots[i].dial &&
			latency->begun < latency->list->count)
			begin(latency, &latency->slots[i]);
	}
	if (latency->running == 0) {
		(void)evtimer_del(latency->overall);
		latency->done(latency->arg);
	}
}

static void out_of_time(evutil_socket_t fd, short what, void *arg)
{
	struct latency *latency = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < AT_ONCE; i++) {
		dial_free(latency->slots[i].dial);
		latency->slots[i].dial = NULL;
	}
	(void)event_del(latency->next);
	latency->running = 0;
	latency->done(latency->arg);
}

struct latency *latency_start(struct relay_client *client,
	struct candidates *list, void (*done)(void *arg), void *arg,
	struct relay_err *err)
{
	struct latency *latency = calloc(1, sizeof(*latency));
	struct timeval t;

	if (!latency)
		goto error;
	latency->client = client;
	latency->list = list;
	latency->done = done;
	latency->arg = arg;
	for (size_t i = 0; i < AT_ONCE; i++)
		latency->slots[i].latency = latency;
	latency->overall = evtimer_new(client->base, out_of_time, latency);
	latency->next = evtimer_new(client->base, next, latency);
	if (!latency->overall || !latency->next ||
		evtimer_add(latency->overall, client_timeval(OVERALL_MS, &t)))
		goto error;
	event_active(latency->next, EV_TIMEOUT, 0);
	return latency;
error:
	latency_free(latency);
	(void)relay_fail(err, "no memory to measure relays");
	return NULL;
}

void latency_free(struct latency *latency)
{
	if (!latency)
		return;
	for (size_t i = 0; i < AT_ONCE; i++)
		dial_free(latency->slots[i].dial);
	if (latency->overall)
		event_free(latency->overall);
	if (latency->next)
		event_free(latency->next);
	free(latency);
}
