/* SPDX-License-Identifier: MPL-2.0 */

/* The way of answers to modules that may be gone. */

#include "relay/data.h"
#include "relay/remote/remote_answer.h"

static struct remote_watcher *watcher_of(
	struct relay_ctx *self, const struct relay_ctx *cx)
{
	struct remote_watchers *watchers = &data_of(self)->remote;

	for (size_t i = 0; i < REMOTE_WATCHERS; i++)
		if (watchers->at[i].cx == cx)
			return &watchers->at[i];
	return NULL;
}

int remote_answer_watch(struct relay_ctx *self, struct relay_ctx *to)
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

void remote_answer_unwatch(struct relay_ctx *self, struct relay_ctx *to)
{
	struct remote_watcher *watcher = watcher_of(self, to);

	if (watcher)
		*watcher = (struct remote_watcher){.cx = NULL};
}

int remote_answer_to(struct relay_ctx *self, const struct relay_ctx *cx,
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

uint64_t remote_answers_lost(struct relay_ctx *self)
{
	return atomic_load(&data_of(self)->remote.lost);
}

void remote_answer_lost(struct relay_ctx *cx, const char *what)
{
	atomic_fetch_add(&data_of(cx)->remote.lost, 1);
	relay_log(cx, RELAY_ERROR, "no memory %s", what);
}

static void tell_lost(struct relay_ctx *cx)
{
	remote_answer_lost(cx, "for an answer to another relay");
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
