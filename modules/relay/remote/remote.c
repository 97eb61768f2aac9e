/* SPDX-License-Identifier: MPL-2.0 */

/* The service for other relays: who uses it, and the way of the answers. */

#include <stdlib.h>
#include <string.h>

#include "relay/data.h"
#include "relay/remote/remote.h"
#include "relay/remote/remote_probe.h"

static struct remote_watcher *watcher_of(
	struct relay_ctx *self, const struct relay_ctx *cx)
{
	struct remote_watchers *watchers = &data_of(self)->remote;

	for (size_t i = 0; i < REMOTE_WATCHERS; i++)
		if (watchers->at[i].cx == cx)
			return &watchers->at[i];
	return NULL;
}

static int watch(struct relay_ctx *self, struct relay_ctx *to)
{
	struct remote_watcher *watcher = watcher_of(self, to);

	if (watcher)
		return 0;
	watcher = watcher_of(self, NULL);
	if (!watcher)
		return -1;
	watcher->cx = to;
	watcher->serial = ++data_of(self)->remote.last_serial;
	return 0;
}

static void unwatch(struct relay_ctx *self, struct relay_ctx *to)
{
	struct remote_watcher *watcher = watcher_of(self, to);

	if (watcher)
		*watcher = (struct remote_watcher){.cx = NULL};
}

/* 0, or -1: it does not watch. */
static int address_to(struct relay_ctx *self, const struct relay_ctx *cx,
	relay_post_fn *fn, struct remote_to *out)
{
	const struct remote_watcher *watcher = cx ? watcher_of(self, cx) : NULL;

	if (!watcher)
		return -1;
	*out = (struct remote_to){.serial = watcher->serial, .fn = fn};
	return 0;
}

/* One of the two kinds of answers. */
struct reply {
	struct remote_to to;
	size_t len;
	union {
		struct remote_answer ask;
		struct remote_conn probe;
	};
};

static void tell_lost(struct relay_ctx *cx)
{
	relay_log(cx, RELAY_ERROR, "no memory for an answer to another relay");
}

static void on_reply(struct relay_ctx *cx, const void *arg)
{
	const struct remote_watchers *watchers = &data_of(cx)->remote;
	const struct reply *reply = arg;

	for (size_t i = 0; i < REMOTE_WATCHERS; i++)
		if (watchers->at[i].cx &&
			watchers->at[i].serial == reply->to.serial &&
			relay_post(watchers->at[i].cx, RELAY_CONTROL,
				reply->to.fn, &reply->ask, reply->len) != 0)
			tell_lost(cx);
}

static void send_reply(struct relay_ctx *cx, const struct reply *reply)
{
	if (relay_post(cx, RELAY_CONTROL, on_reply, reply, sizeof(*reply)) != 0)
		tell_lost(cx);
}

void remote_answer_ask(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_answer *answer)
{
	const struct reply reply = {
		.to = *to, .len = sizeof(*answer), .ask = *answer};

	send_reply(cx, &reply);
}

void remote_answer_probe(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_conn *answer)
{
	const struct reply reply = {
		.to = *to, .len = sizeof(*answer), .probe = *answer};

	send_reply(cx, &reply);
}

static int invite(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *answered, const struct remote_ask *ask)
{
	struct remote_to address;

	return address_to(self, to, answered, &address) == 0
		       ? remote_ask_begin(self, &address, ask, NULL)
		       : -1;
}

static int invite_elsewhere(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *answered, const struct remote_ask *ask,
	const struct relay_found *found)
{
	struct remote_to address;

	return address_to(self, to, answered, &address) == 0
		       ? remote_ask_begin(self, &address, ask, found)
		       : -1;
}

static int probe(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *probed, const struct remote_conn *conn)
{
	struct remote_to address;

	return address_to(self, to, probed, &address) == 0
		       ? remote_probe_begin(self, &address, conn)
		       : -1;
}

struct list {
	struct remote_conn *conns;
	size_t count;
};

static void note(const uint8_t *id, struct place owner, void *arg)
{
	struct list *list = arg;
	struct remote_conn *conn = &list->conns[list->count++];

	*conn = (struct remote_conn){
		.worker = owner.worker, .conn = owner.conn, .alive = true};
	memcpy(conn->id, id, ID_LEN);
}

/* A copy, because all workers would wait for what fn does. */
static int each(struct relay_ctx *self,
	void (*fn)(const struct remote_conn *conn, void *arg), void *arg)
{
	struct directory *dir = &data_of(self)->directory;
	size_t room = directory_size(dir) + 1024; /* some may come meanwhile */
	struct list list = {.conns = calloc(room, sizeof(*list.conns))};

	if (!list.conns)
		return -1;
	directory_each(dir, room, note, NULL, &list);
	for (size_t i = 0; i < list.count; i++)
		fn(&list.conns[i], arg);
	free(list.conns);
	return 0;
}

static const struct relay_remote_service service = {
	.watch = watch,
	.unwatch = unwatch,
	.invite = invite,
	.invite_elsewhere = invite_elsewhere,
	.prepare = remote_prepare,
	.probe = probe,
	.end = remote_conn_end,
	.each = each,
	.told = remote_told,
};

int remote_init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_service_publish(cx, RELAY_REMOTE_SERVICE,
		       RELAY_REMOTE_SERVICE_VERSION, &service) == 0
		       ? 0
		       : relay_fail(err, "the service " RELAY_REMOTE_SERVICE
					 " is taken");
}
