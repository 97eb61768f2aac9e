/* SPDX-License-Identifier: MPL-2.0 */

/* What is looked at every second. */

#include <string.h>

#include "asking.h"
#include "data.h"
#include "here.h"
#include "look.h"
#include "relay/devices_service.h"
#include "terms.h"

#define LOOK_MS 1000

/* How many devices are looked at in one go, while workers wait for the lock. */
#define PART 64

struct look {
	struct terms_services services;
	bool withdraws; /* else the module relay has ended what it can */
	/* Of one go: */
	struct question due[PART]; /* to be asked again */
	size_t due_count;
	uint8_t left[PART][ID_LEN]; /* their invitations are withdrawn */
	size_t left_count;
};

/* With the lock held: whether it is to be asked about. */
static bool is_due(struct device *device, int64_t now_ms)
{
	if (device->asking || device->connections == 0 ||
		now_ms < device->again_ms || !device->question.address[0] ||
		atomic_load(&device->denied))
		return false;
	device->asking = true;
	return true;
}

/* How many may be asked about now; half of the queue is for those who wait. */
static int64_t room(const struct relay_ctx *cx)
{
	const struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	const struct queue_key source = question_again_source();
	int64_t half = (conf->queue + 1) / 2, own;

	/* While all would fail, none. */
	if (data->breaker.state == BREAKER_OPEN &&
		relay_now_ms(cx) < data->breaker.until_ms)
		return 0;
	half -= (int64_t)asker_queued(data->asker);
	own = (int64_t)asker_room(data->asker, &source);
	return half < own ? half : own;
}

/* It is forgotten at the next look, or when its sessions have ended, for which
 * its rate counts: one for which both have shown their keys may be about to
 * begin. */
static void has_left(
	struct here *here, struct device *device, struct look *look)
{
	if (look->withdraws && here_owes(device) && !device->withdrawn) {
		device->withdrawn = true;
		memcpy(look->left[look->left_count++], device->id, ID_LEN);
		return;
	}
	if (device->holders)
		return;
	terms_end(device, &look->services);
	here_remove(here, device);
}

/* Looks at some devices from `from` on.  Where to go on; NULL: at the end. */
static struct device *look_at(struct relay_ctx *cx, struct device *from,
	struct look *look, int64_t most_due)
{
	struct data *data = cx->data;
	int64_t now_ms = relay_now_ms(cx);

	look->due_count = look->left_count = 0;
	pthread_mutex_lock(&data->lock);
	if (!from)
		from = data->here.all;
	for (int i = 0; from && i < PART; i++) {
		struct device *device = from;

		from = device->hh.next;
		terms_count(device, &look->services);
		if (device->connections == 0) {
			has_left(&data->here, device, look);
		} else if ((int64_t)look->due_count < most_due &&
			   is_due(device, now_ms)) {
			look->due[look->due_count] = device->question;
			look->due[look->due_count++].asked_ms = now_ms;
		}
	}
	pthread_mutex_unlock(&data->lock);
	return from;
}

int64_t look_at_devices(struct relay_ctx *cx, void *arg)
{
	struct look look = {.services = terms_find(cx)};
	struct relay_ctx *self;
	const struct relay_devices_service *devices = relay_service_find(cx,
		RELAY_DEVICES_SERVICE, RELAY_DEVICES_SERVICE_VERSION, &self);
	struct device *at = NULL;

	(void)arg;
	look.withdraws = devices != NULL;
	do {
		at = look_at(cx, at, &look, room(cx));
		for (size_t i = 0; i < look.left_count; i++)
			devices->withdraw(self, look.left[i]);
		for (size_t i = 0; i < look.due_count; i++)
			asking_ask(cx, &look.due[i]);
	} while (at);
	return LOOK_MS;
}

void look_at_the_end(struct relay_ctx *cx)
{
	struct look look = {.services = terms_find(cx)};
	struct device *at = NULL;

	do {
		at = look_at(cx, at, &look, 0);
	} while (at);
}
