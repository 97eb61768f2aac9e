/* SPDX-License-Identifier: MPL-2.0 */

/* Many devices that join. */

#include <stdlib.h>

#include "devices.h"
#include "identity.h"
#include "link.h"
#include "meter.h"

struct device {
	struct devices *all;
	struct link *link;
	bool open; /* its handshake is over, and it waits for the others */
	bool joined;
	int64_t begin_ns;
};

struct devices {
	struct bench *bench;
	struct identities identities;
	struct device *devices;
	struct event *next; /* starts the next one from the loop */
	size_t parallel, started, open, joined, failed, lost;
	struct histogram times;
};

static void settled(struct devices *all)
{
	if (all->joined + all->failed == all->identities.count)
		bench_stop(all->bench);
	else
		event_active(all->next, EV_TIMEOUT, 0);
}

static void give_up(struct device *device, enum failure why)
{
	struct devices *all = device->all;

	tally_add(&all->bench->tally, why);
	link_destroy(device->link);
	device->link = NULL;
	if (device->joined) {
		all->lost++;
		return;
	}
	all->open -= device->open;
	device->open = false;
	all->failed++;
	settled(all);
}

static void opened(struct link *link, void *arg)
{
	struct device *device = arg;
	struct devices *all = device->all;

	if (!all->bench->settings->together) {
		link_join(link);
		return;
	}
	device->open = true;
	all->open++;
	event_active(all->next, EV_TIMEOUT, 0);
}

/* Those whose handshake did not fail. */
static void join_together(struct devices *all)
{
	for (size_t i = 0; i < all->started; i++) {
		struct device *device = &all->devices[i];

		if (!device->open)
			continue;
		device->open = false;
		all->open--;
		device->begin_ns = meter_now_ns();
		link_join(device->link);
	}
}

static void joined(struct device *device)
{
	struct devices *all = device->all;

	device->joined = true;
	all->joined++;
	histogram_add(&all->times, meter_now_ns() - device->begin_ns);
	link_settled(device->link);
	settled(all);
}

static void got_message(struct link *link, const struct frame_header *header,
	const uint8_t *body, void *arg)
{
	struct device *device = arg;
	struct frame_response response;
	enum failure why = FAILURE_PROTOCOL;

	(void)link;
	if (header->type == FRAME_RELAY_FULL)
		why = FAILURE_RELAY_FULL;
	else if (header->type == FRAME_RESPONSE && !device->joined &&
		 !frame_read_response(body, header->length, &response))
		why = failure_of_code(response.code);
	if (why)
		give_up(device, why);
	else
		joined(device);
}

static void failed(struct link *link, enum failure why, void *arg)
{
	(void)link;
	give_up(arg, why);
}

static void start(struct device *device, const struct identity *identity)
{
	static const struct link_handlers handlers = {
		opened, got_message, failed};
	struct devices *all = device->all;

	all->started++;
	device->begin_ns = meter_now_ns();
	device->link = link_create(
		all->bench, &all->bench->server, identity, &handlers, device);
	if (!device->link) { /* counted already */
		all->failed++;
		settled(all);
	}
}

/* Starts devices up to the limit. */
static void start_more(evutil_socket_t fd, short what, void *arg)
{
	struct devices *all = arg;

	(void)fd;
	(void)what;
	while (all->started < all->identities.count &&
		all->started - all->open - all->joined - all->failed <
			all->parallel)
		start(&all->devices[all->started],
			&all->identities.all[all->started]);
	if (all->open && all->open + all->failed == all->identities.count)
		join_together(all);
}

struct devices *devices_create(struct bench *bench, size_t count)
{
	struct devices *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->bench = bench;
	all->devices = calloc(count + 1, sizeof(*all->devices));
	all->next = evtimer_new(bench->base, start_more, all);
	if (!all->devices || !all->next ||
		identities_make(
			&all->identities, count, bench->settings->p384)) {
		devices_destroy(all);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		all->devices[i].all = all;
	return all;
}

void devices_join(struct devices *devices, size_t parallel)
{
	devices->parallel = parallel;
	if (!devices->identities.count)
		return;
	event_active(devices->next, EV_TIMEOUT, 0);
	bench_run(devices->bench);
}

size_t devices_joined(const struct devices *devices)
{
	return devices->joined;
}

const struct histogram *devices_times(const struct devices *devices)
{
	return &devices->times;
}

size_t devices_lost(const struct devices *devices)
{
	return devices->lost;
}

uint64_t devices_pings(const struct devices *devices)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < devices->started; i++) {
		if (devices->devices[i].link)
			sum += link_pings(devices->devices[i].link);
	}
	return sum;
}

void devices_destroy(struct devices *devices)
{
	if (!devices)
		return;
	for (size_t i = 0; i < devices->started; i++)
		link_destroy(devices->devices[i].link);
	if (devices->next)
		event_free(devices->next);
	free(devices->devices);
	identities_finish(&devices->identities);
	free(devices);
}
