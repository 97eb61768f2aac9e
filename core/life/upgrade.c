/* SPDX-License-Identifier: MPL-2.0 */

/* An upgrade, in the old process. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "base/time_span.h"
#include "host/host.h"
#include "host/reloading.h"
#include "life/drain.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/new_process.h"
#include "life/pass_on.h"
#include "life/systemd_notify.h"
#include "life/upgrade.h"
#include "life/upgrade_accept.h"
#include "life/upgrade_prepare.h"
#include "life/upgrade_tell.h"
#include "log/log.h"
#include "loop/event_later.h"
#include "loop/loop.h"
#include "peers/conn_import.h"
#include "workers/workers_answer.h"

/* If the new process fails within this time after SERVING, this one serves
 * again. */
#define PROBATION_MS 5000
/* The interval of upgrade_tell(). */
#define TELL_MS 1000
/* How often it may call before the answer to HANDOVER_ENDING is not waited for
 * any more. */
#define ENDING_TELLS 2

static struct upgrade_state *self(void)
{
	return &instance->life->upgrade;
}

static void wait_ms(int64_t ms)
{
	const struct timeval wait = time_span_val(ms);

	/* Without memory for it the time is over, and the upgrade fails. */
	event_later(self()->timer, &wait);
}

/* The ends of an upgrade. */

static void reload_now(void)
{
	if (!self()->reload)
		return;
	self()->reload = false;
	reloading_begin();
}

/* A new process that is not killed, since it starts only now, reads this, and
 * ends.  Safe in a signal handler. */
static void call_off(void)
{
	if (self()->channel >= 0)
		(void)handover_send(self()->channel, HANDOVER_OFF, NULL, 0, -1);
}

static void close_channel(void)
{
	pass_on_end();
	handover_close(&self()->channel, &self()->channel_event);
}

/* This process goes on serving. */
static void fail(const char *why)
{
	enum upgrade_stage reached = self()->stage;

	evtimer_del(self()->timer);
	workers_ask_free(self()->ask);
	self()->ask = NULL;
	call_off();
	close_channel();
	self()->stage = STAGE_NONE;
	if (self()->pid)
		new_process_kill(self()->pid); /* on_child reaps it */
	log_core(RELAY_ERROR,
		"upgrade failed: the new process %s; this one, %d, %s", why,
		(int)getpid(),
		reached == STAGE_PROBATION ? "serves again"
					   : "goes on as before");
	if (reached >= STAGE_SWITCHING)
		upgrade_accept_again();
	if (reached == STAGE_PROBATION)
		drain_call_off();
	reload_now();
}

/* The upgrade is final. */
static void leave(void)
{
	self()->stage = STAGE_OVER;
	/* Not earlier: systemd ends the service if its main process ends. */
	if (self()->pid)
		(void)systemd_notify_main_pid(self()->pid);
	upgrade_accept_leave();
	upgrade_tell_left();
	wait_ms(TELL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	switch (self()->stage) {
	case STAGE_NONE:
	case STAGE_PREPARING:
		break;
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		fail("was not ready within upgrade-timeout");
		break;
	case STAGE_PROBATION:
		leave();
		break;
	case STAGE_OVER:
		upgrade_tell();
		if (self()->ending && ++self()->ending_tells >= ENDING_TELLS)
			relay_server_stop();
		wait_ms(TELL_MS);
		break;
	}
}

/* Messages of the new process. */

static void on_answer(bool answer, void *arg)
{
	(void)arg;
	self()->ask = NULL;
	if (!answer) {
		fail("cannot take over: a worker of the old process hangs");
		return;
	}
	upgrade_accept_end();
	self()->stage = STAGE_SWITCHING;
	if (handover_send(self()->channel, HANDOVER_GO, NULL, 0, -1) != 0)
		fail("could not be sent the message GO");
}

static void on_ready(void)
{
	if (self()->stage != STAGE_STARTING || self()->ask)
		return;
	self()->ask = workers_ask(on_answer, NULL);
	if (!self()->ask)
		fail("cannot take over: this process is out of memory");
}

static void on_serving(void)
{
	if (self()->stage != STAGE_SWITCHING)
		return;
	self()->stage = STAGE_PROBATION;
	log_core(RELAY_NOTICE, "process %d serves; this one, %d, drains",
		(int)self()->pid, (int)getpid());
	upgrade_tell();
	pass_on_begin(self()->channel);
	drain_begin(RELAY_DRAIN_MOVE);
	wait_ms(PROBATION_MS);
	if (self()->reload)
		(void)kill(self()->pid, SIGHUP);
	self()->reload = false;
}

static void on_message(struct handover_message *message)
{
	switch (message->word) {
	case HANDOVER_READY:
		on_ready();
		break;
	case HANDOVER_SERVING:
		on_serving();
		break;
	case HANDOVER_KEEP:
		if (self()->stage == STAGE_PROBATION)
			leave();
		break;
	case HANDOVER_CONN:
		conn_import(message->fd, message->data, message->len);
		message->fd = -1;
		break;
	case HANDOVER_PROXIED:
		conn_import_proxied(message->fd, message->data, message->len);
		message->fd = -1;
		break;
	default: /* other versions may send other messages */
		break;
	}
	if (message->fd >= 0)
		close(message->fd);
}

/* The channel ends when the new process ends, which SIGCHLD or the timer then
 * handles. */
static void on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct handover_message message;
	int got = 0;

	(void)what;
	(void)arg;
	for (int i = 0; i < 64; i++) {
		got = handover_receive((int)fd, &message);
		if (got <= 0)
			break;
		on_message(&message);
		if (self()->channel != fd)
			return;
	}
	if (got >= 0)
		return;
	close_channel();
	if (self()->ending)
		relay_server_stop();
}

static void ended(int status)
{
	char how[60];

	self()->pid = 0;
	new_process_describe_end(status, how, sizeof(how));
	switch (self()->stage) {
	case STAGE_NONE: /* it had failed, and was told to end */
	case STAGE_PREPARING:
		break;
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		fail(how);
		break;
	case STAGE_PROBATION:
		/* Code 0: it was stopped, or has been upgraded itself. */
		if (status == 0)
			leave();
		else
			fail(how);
		break;
	case STAGE_OVER:
		close_channel();
		log_core(RELAY_NOTICE, "the new process %s", how);
		break;
	}
}

static void look_at_child(void)
{
	bool well;
	int status;

	/* Not waitpid(-1): modules may have children of their own. */
	if (!self()->pid || new_process_ended(self()->pid, &well) != 0)
		return;
	/* Processes that a failed one has started would keep the sockets. */
	if (self()->stage < STAGE_PROBATION ||
		(self()->stage == STAGE_PROBATION && !well))
		new_process_kill(self()->pid);
	if (waitpid(self()->pid, &status, WNOHANG) > 0)
		ended(status);
}

static void on_child(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	look_at_child();
}

/* The start. */

static int watch(void)
{
	self()->channel_event = event_new(self()->base, self()->channel,
		EV_READ | EV_PERSIST, on_channel, NULL);
	return self()->channel_event &&
			       event_add(self()->channel_event, NULL) == 0
		       ? 0
		       : -1;
}

static void on_prepared(bool started)
{
	self()->stage = STAGE_STARTING;
	if (!started) {
		call_off();
		close_channel();
		self()->stage = STAGE_NONE;
		reload_now();
		return;
	}
	log_core(RELAY_NOTICE, "upgrade: started process %d, which runs %s",
		(int)self()->pid, self()->argv[0]);
	wait_ms(host_core()->upgrade_timeout_ms);
	if (watch() != 0)
		fail("cannot be watched: this process is out of memory");
	else
		look_at_child(); /* SIGCHLD may have come before */
}

void upgrade_begin(void)
{
	const char *why = upgrade_objection();

	if (why) {
		log_core(RELAY_WARNING, "no upgrade: %s", why);
		return;
	}
	self()->stage = STAGE_PREPARING;
	upgrade_prepare(on_prepared);
}

bool upgrade_reload(void)
{
	switch (self()->stage) {
	case STAGE_NONE:
		break;
	case STAGE_PREPARING:
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		log_core(RELAY_NOTICE, "an upgrade is under way: the "
				       "reload will follow it");
		self()->reload = true;
		return true;
	case STAGE_PROBATION:
	case STAGE_OVER:
		if (self()->pid)
			(void)kill(self()->pid, SIGHUP);
		log_core(RELAY_NOTICE, "reload: passed on to the new process");
		return true;
	}
	return false;
}

bool upgrade_drain(void)
{
	switch (self()->stage) {
	case STAGE_NONE:
		break;
	case STAGE_PREPARING:
		upgrade_stop();
		upgrade_prepare_stop();
		close_channel();
		log_core(RELAY_WARNING,
			"no upgrade: the server was told to drain");
		break;
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		fail("was stopped, since the server was told to drain");
		break;
	case STAGE_PROBATION:
	case STAGE_OVER:
		return false;
	}
	return true;
}

bool upgrade_is_on_probation(void)
{
	return self()->stage == STAGE_PROBATION;
}

void upgrade_end(void)
{
	self()->ending = self()->stage == STAGE_OVER && self()->channel >= 0;
	if (!self()->ending) {
		relay_server_stop();
		return;
	}
	self()->ending_tells = 0;
	upgrade_tell_ending();
	wait_ms(TELL_MS);
}

/* Beginning and end of the room's state. */

int upgrade_init(struct event_base *base, char *const argv[])
{
	self()->base = base;
	self()->argv = argv;
	self()->timer = evtimer_new(base, on_timer, NULL);
	self()->child_event = evsignal_new(base, SIGCHLD, on_child, NULL);
	return self()->timer && self()->child_event &&
			       evsignal_add(self()->child_event, NULL) == 0
		       ? 0
		       : -1;
}

void upgrade_stop(void)
{
	if (self()->stage >= STAGE_PROBATION)
		return;
	self()->stage = STAGE_NONE;
	call_off();
	if (self()->pid)
		new_process_kill(self()->pid);
}

void upgrade_interrupt(void)
{
	if (self()->pid && self()->stage >= STAGE_PROBATION)
		new_process_interrupt(self()->pid);
}

void upgrade_finish(void)
{
	bool unwanted = self()->pid && self()->stage < STAGE_PROBATION;

	if (self()->stage >= STAGE_PROBATION)
		upgrade_tell();
	if (self()->stage == STAGE_PROBATION && self()->pid)
		(void)systemd_notify_main_pid(self()->pid);
	upgrade_stop();
	upgrade_prepare_stop();
	workers_ask_free(self()->ask);
	self()->ask = NULL;
	if (unwanted)
		while (waitpid(self()->pid, NULL, 0) < 0 && errno == EINTR)
			;
	close_channel();
	if (self()->timer)
		event_free(self()->timer);
	if (self()->child_event)
		event_free(self()->child_event);
	self()->timer = self()->child_event = NULL;
	self()->stage = STAGE_NONE;
	self()->pid = 0;
}
