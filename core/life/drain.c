/* SPDX-License-Identifier: MPL-2.0 */

/* Draining: the graceful shutdown. */

#include <inttypes.h>
#include <stdatomic.h>

#include <strelaysrv/metric.h>
#include <strelaysrv/units.h>

#include "base/instance.h"
#include "base/time_span.h"
#include "host/host.h"
#include "life/drain.h"
#include "life/life_state.h"
#include "life/systemd_notify.h"
#include "log/log.h"
#include "loop/event_later.h"
#include "loop/loop.h"
#include "modules/server_closed.h"

#define CHECK_MS 1000
/* A connection that moves between two threads is counted by neither: so the
 * server must look empty twice. */
#define RECHECK_MS 100
/* Progress is logged after LOG_FIRST_MS. Each further interval is twice as long
 * as the last, LOG_MOST_MS at most. */
#define LOG_FIRST_MS 10000
#define LOG_MOST_MS  300000

static struct drain_state *self(void)
{
	return &instance->life->drain;
}

enum relay_drain relay_draining(void)
{
	return (enum relay_drain)atomic_load_explicit(
		&self()->how, memory_order_relaxed);
}

int64_t drain_left(void)
{
	return self()->left;
}

int64_t drain_left_ms(void)
{
	int64_t most = host_core()->drain_timeout_ms;
	int64_t left = self()->begun_ms + most - loop_clock_ms();

	if (most == 0 || relay_draining() == RELAY_DRAIN_NONE)
		return -1;
	return left > 0 ? left : 0;
}

static void log_progress(const char *what)
{
	char until[RELAY_DURATION_TEXT + 20] = "";
	char time[RELAY_DURATION_TEXT];
	int64_t left_ms = drain_left_ms();

	if (left_ms >= 0) {
		relay_duration_format(
			(left_ms + 999) / 1000 * INT64_C(1000000000), time);
		(void)snprintf(until, sizeof(until), ", for %s at most", time);
	}
	log_core(RELAY_NOTICE,
		"%s: waits for %" PRId64 " sessions and %" PRId64
		" peers or pending sessions%s",
		what, self()->left - self()->pending, self()->pending, until);
	self()->logged_ms = loop_clock_ms();
}

static void count(enum relay_drain how)
{
	int64_t sessions = relay_metric_value(NULL, "core", "sessions", NULL);
	int64_t questions = relay_metric_value(NULL, "core", "questions", NULL);

	self()->pending = host_drain(how) + questions + self()->owner->held();
	self()->left = sessions + self()->pending;
}

static void wait_ms(int64_t ms)
{
	const struct timeval wait = time_span_val(ms);

	event_later(self()->timer, &wait);
}

static void end(const char *why)
{
	log_core(RELAY_NOTICE, "drained: %s", why);
	self()->owner->ended();
}

static void check(evutil_socket_t fd, short what, void *arg)
{
	bool was_empty = self()->empty;

	(void)fd;
	(void)what;
	(void)arg;
	count(relay_draining());
	self()->empty = self()->left == 0;
	if (self()->empty && was_empty) {
		end("the last session has ended");
		return;
	}
	if (drain_left_ms() == 0) {
		log_progress("drain-timeout has passed");
		end("what is left is ended");
		return;
	}
	if (loop_clock_ms() - self()->logged_ms >= self()->log_interval_ms) {
		log_progress("draining");
		if (self()->log_interval_ms < LOG_MOST_MS)
			self()->log_interval_ms *= 2;
	}
	wait_ms(self()->empty ? RECHECK_MS : CHECK_MS);
}

void drain_begin(enum relay_drain how)
{
	if (relay_draining() == how) {
		log_progress("is draining already");
		return;
	}
	if (relay_draining() == RELAY_DRAIN_NONE)
		self()->begun_ms = loop_clock_ms();
	atomic_store_explicit(&self()->how, (int)how, memory_order_relaxed);
	server_closed_set(how == RELAY_DRAIN_LEAVE ? "draining" : NULL);
	if (how == RELAY_DRAIN_LEAVE)
		systemd_notify_status("draining: takes no newcomers");
	self()->empty = false;
	self()->log_interval_ms = LOG_FIRST_MS;
	count(how);
	log_progress(how == RELAY_DRAIN_LEAVE
			     ? "draining, no newcomers"
			     : "draining, a new process serves");
	wait_ms(RECHECK_MS);
}

void drain_call_off(void)
{
	if (relay_draining() == RELAY_DRAIN_NONE)
		return;
	atomic_store_explicit(
		&self()->how, RELAY_DRAIN_NONE, memory_order_relaxed);
	server_closed_set(NULL);
	evtimer_del(self()->timer);
	(void)host_drain(RELAY_DRAIN_NONE);
	self()->left = self()->pending = 0;
	log_core(RELAY_NOTICE,
		"drain cancelled: new connections are accepted again");
}

int drain_init(struct event_base *base, const struct drain_owner *owner)
{
	self()->owner = owner;
	self()->timer = evtimer_new(base, check, NULL);
	return self()->timer ? 0 : -1;
}

void drain_finish(void)
{
	if (self()->timer)
		event_free(self()->timer);
	self()->timer = NULL;
	atomic_store_explicit(
		&self()->how, RELAY_DRAIN_NONE, memory_order_relaxed);
}
