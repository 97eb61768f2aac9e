/* SPDX-License-Identifier: MPL-2.0 */

/* An upgrade, in the new process. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strelaysrv/units.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/takeover.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/listeners_inherited.h"
#include "peers/peer_metrics.h"
#include "workers/workers.h"

/* How often a message is tried that the system has no memory for. */
#define TELL_TRIES    20
#define TELL_PAUSE_MS 50

static struct takeover_state *self(void)
{
	return &instance->life->takeover;
}

int takeover_init(struct relay_err *err)
{
	const char *text = getenv(HANDOVER_CHANNEL);
	int64_t fd;

	if (!text)
		return 0;
	if (relay_int_parse(text, &fd, err) != 0 || fd < 0 || fd > INT32_MAX ||
		fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
		return relay_fail(err,
			HANDOVER_CHANNEL " is \"%.20s\", which is no open "
					 "descriptor; it is for upgrades only",
			text);
	unsetenv(HANDOVER_CHANNEL);
	text = getenv(HANDOVER_ID);
	(void)snprintf(self()->id, sizeof(self()->id), "%s", text ? text : "");
	unsetenv(HANDOVER_ID);
	self()->channel = (int)fd;
	self()->group = getpgid(getppid());
	return 0;
}

/*
 * This process was started in a process group of its own, which is killed if
 * the upgrade fails.  From now on signals of a terminal must reach it as they
 * reached the old process.  If the old group or its session has ended, it keeps
 * its own.
 */
static void join_group(void)
{
	if (self()->group > 0)
		(void)setpgid(0, self()->group);
	self()->group = 0;
}

bool takeover_is(void)
{
	return self()->channel >= 0;
}

int takeover_compare_ids(const uint8_t *id, const char *before,
	const char *keys, struct relay_err *err)
{
	char text[RELAY_DEVICE_ID_TEXT];

	if (!id)
		return relay_fail(err,
			"there are no keys in %.100s any more: an upgrade "
			"makes no new ones, since the relay would get another "
			"ID; restore them from a backup",
			keys);
	relay_device_id_format(id, text);
	if (!before[0] || strcmp(before, text) == 0)
		return 0;
	return relay_fail(err,
		"the keys in %.50s are those of %s, and the relay is %s: a new "
		"ID needs a restart",
		keys, text, before);
}

int takeover_check_id(
	const uint8_t *id, const char *keys, struct relay_err *err)
{
	if (!takeover_is())
		return 0;
	return takeover_compare_ids(id, self()->id, keys, err);
}

static int nothing_here(struct worker *worker, void *arg)
{
	(void)worker;
	(void)arg;
	return 0;
}

/* When this returns, no worker hands back a connection any more.  0 or -1. */
static int end_hand_back(void)
{
	if (atomic_exchange(&self()->hand_back_channel, -1) < 0)
		return 0;
	return workers_call(nothing_here, NULL) == 0 ? 0 : -1;
}

/* The old process has ended. */
static void old_process_ended(void)
{
	/* If the workers could not be told, one might still use the channel. */
	join_group();
	if (end_hand_back() == 0)
		handover_close(&self()->channel, &self()->channel_event);
	listeners_drain_inherited();
}

static void handle(const struct handover_message *message)
{
	int64_t bytes;

	if (message->word == HANDOVER_ONWARD)
		conn_import_onward(message->fd, message->data, message->len);
	else if (message->fd >= 0)
		close(message->fd);
	if (message->word == HANDOVER_LEFT) {
		join_group();
		listeners_drain_inherited();
	}
	/* This tells the old process that no connection follows. */
	if (message->word == HANDOVER_ENDING && end_hand_back() == 0)
		(void)shutdown(self()->channel, SHUT_WR);
	if (message->word != HANDOVER_TRAFFIC || message->len != sizeof(bytes))
		return;
	memcpy(&bytes, message->data, sizeof(bytes));
	peer_count(metrics_shard(RELAY_CONTROL), PEER_SESSION_TRAFFIC, 0,
		bytes > 0 ? bytes : 0);
}

static void on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct handover_message message;
	int got = 1;

	(void)what;
	(void)arg;
	for (int i = 0; i < 64 && got > 0; i++) {
		got = handover_receive((int)fd, &message);
		if (got > 0)
			handle(&message);
	}
	if (got >= 0)
		return;
	log_core(RELAY_NOTICE, "the old process has ended");
	old_process_ended();
}

/*
 * The system may be short of memory for a moment.  If it stays so, the old
 * process gives this one up after upgrade-timeout.  If the old one has ended,
 * the channel says so after what it had sent before.
 */
static void tell(enum handover_word word)
{
	for (int i = 0; i < TELL_TRIES; i++) {
		if (handover_send(self()->channel, word, NULL, 0, -1) == 0 ||
			errno == EPIPE || errno == ECONNRESET)
			return;
		(void)poll(NULL, 0, TELL_PAUSE_MS);
	}
}

/* What has come of the old process. */
enum await {
	AWAIT_NOTHING,
	AWAIT_GO,
	AWAIT_OFF,   /* it has given the upgrade up */
	AWAIT_ENDED, /* it has ended */
};

static enum await await_go(int64_t until_ms)
{
	struct pollfd wait = {.fd = self()->channel, .events = POLLIN};
	struct handover_message message;
	int64_t left = until_ms - loop_clock_ms();
	int got;

	if (left <= 0)
		return AWAIT_NOTHING;
	if (poll(&wait, 1, left > INT32_MAX ? INT32_MAX : (int)left) < 0 &&
		errno != EINTR)
		return AWAIT_ENDED;
	got = handover_receive(self()->channel, &message);
	if (got <= 0)
		return got < 0 ? AWAIT_ENDED : AWAIT_NOTHING;
	if (message.fd >= 0)
		close(message.fd);
	if (message.word == HANDOVER_OFF)
		return AWAIT_OFF;
	return message.word == HANDOVER_GO ? AWAIT_GO : AWAIT_NOTHING;
}

int takeover_await(int64_t wait_ms, struct relay_err *err)
{
	int64_t until_ms = loop_clock_ms() + wait_ms;
	enum await got = AWAIT_NOTHING;

	if (self()->channel < 0)
		return 0;
	tell(HANDOVER_READY);
	while (got == AWAIT_NOTHING && loop_clock_ms() < until_ms)
		got = await_go(until_ms);
	if (got == AWAIT_OFF)
		return relay_fail(
			err, "the old process has given the upgrade up");
	if (got == AWAIT_NOTHING)
		return relay_fail(err,
			"the old process has not handed over its sockets in "
			"time");
	/* The old process is gone, for whatever reason: this one must serve. */
	if (got == AWAIT_ENDED)
		log_core(RELAY_WARNING,
			"the old process has ended before it handed over");
	return 0;
}

int takeover_serving(struct event_base *base, struct relay_err *err)
{
	if (self()->channel < 0)
		return 0;
	self()->channel_event = event_new(
		base, self()->channel, EV_READ | EV_PERSIST, on_channel, NULL);
	if (!self()->channel_event ||
		event_add(self()->channel_event, NULL) != 0)
		return relay_fail(err, "out of memory");
	tell(HANDOVER_SERVING);
	atomic_store(&self()->hand_back_channel, self()->channel);
	return 0;
}

void takeover_keep(void)
{
	if (self()->channel < 0 || self()->keep_sent)
		return;
	self()->keep_sent =
		handover_send(self()->channel, HANDOVER_KEEP, NULL, 0, -1) == 0;
}

void takeover_finish(void)
{
	atomic_store(&self()->hand_back_channel, -1);
	handover_close(&self()->channel, &self()->channel_event);
}

static int send_back(
	int to, const struct relay_conn *conn, const void *read, size_t len)
{
	unsigned char data[HANDOVER_DATA];
	struct conn_import_proxied proxied;

	if (!conn_export_proxied(conn, &proxied))
		return handover_send(to, HANDOVER_CONN, read, len, conn->fd);
	if (len > CONN_IMPORT_DATA_MAX)
		return -1;
	memcpy(data, &proxied, sizeof(proxied));
	if (len)
		memcpy(data + sizeof(proxied), read, len);
	return handover_send(
		to, HANDOVER_PROXIED, data, sizeof(proxied) + len, conn->fd);
}

int relay_conn_hand_back(struct relay_ctx *cx, struct relay_conn *conn,
	const void *read, size_t len)
{
	int to = atomic_load_explicit(
		&self()->hand_back_channel, memory_order_relaxed);

	(void)cx;
	/* A peer that was answered must stay with this process. */
	if (to < 0 || conn->phase != CONN_TAKEN || conn->tls || conn->ended ||
		conn->wrote || conn->unread ||
		send_back(to, conn, read, len) != 0)
		return -1;
	conn_end(conn, RELAY_END_MOVED);
	return 0;
}
