/* SPDX-License-Identifier: MPL-2.0 */

/* What each signal does. */

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "base/signal_name.h"
#include "life/drain.h"
#include "host/reloading.h"
#include "log/log.h"
#include "life/systemd_notify.h"
#include "life/signals.h"
#include "life/upgrade.h"
#include "loop/event_later.h"

#define SIGNALS 5

/* Global: signals belong to the process, not to one server in it. */
static struct {
	_Atomic bool asked;               /* SIGINT or SIGTERM came */
	_Atomic bool by_terminal;         /* the first one came from Ctrl-C */
	void (*pass_on)(int number);      /* libevent's handler */
	struct event *reload_soon;        /* owned */
	bool reload_waits, upgrade_waits; /* for the end of a reload */
	struct event *events[SIGNALS];    /* owned, of each row of the table */
} signals;

/*
 * A second signal does not wait for the graceful stop, nor for the control
 * loop, which may hang.
 */
static void on_stop_signal(int number, siginfo_t *info, void *context)
{
	static const char text[] = "strelaysrv: ends at the second signal\n";
	/* Signals of a terminal are sent by the kernel. */
	bool by_terminal = number == SIGINT && info->si_code == SI_KERNEL;

	(void)context;
	if (atomic_exchange(&signals.asked, true)) {
		if (instance && instance->life) {
			upgrade_stop();
			if (by_terminal)
				upgrade_interrupt();
		}
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(EXIT_SUCCESS);
		_exit(EXIT_SUCCESS);
	}
	atomic_store(&signals.by_terminal, by_terminal);
	signals.pass_on(number);
}

static void on_stop(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	(void)arg;
	log_core(RELAY_NOTICE, "got %s", signal_name((int)number));
	upgrade_stop();
	if (atomic_load(&signals.by_terminal))
		upgrade_interrupt();
	relay_server_stop();
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	if (reloading_is_on()) {
		log_core(RELAY_NOTICE,
			"a reload is under way: another one follows");
		signals.reload_waits = true;
		return;
	}
	if (!upgrade_reload())
		reloading_begin();
}

/* Several signals at once become one reload, after the other pending events. */
static void on_hangup(evutil_socket_t number, short what, void *arg)
{
	static const struct timeval now = {0, 0};

	(void)number;
	(void)what;
	(void)arg;
	event_later(signals.reload_soon, &now);
}

static void on_drain(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	log_core(RELAY_NOTICE, "got SIGUSR1");
	if (upgrade_drain())
		drain_begin(RELAY_DRAIN_LEAVE);
	else
		log_core(RELAY_NOTICE, "this process drains already");
}

static void on_upgrade(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	log_core(RELAY_NOTICE, "got SIGUSR2");
	/* The new process must find the result of the reload. */
	signals.upgrade_waits = reloading_is_on();
	if (!signals.upgrade_waits)
		upgrade_begin();
}

/* Handles the signals that came during the reload: first the upgrade, which
 * passes the next reload on to the new process. */
static void tell_reload(bool is_on)
{
	static const struct timeval now = {0, 0};

	if (is_on) {
		systemd_notify_reloading();
		return;
	}
	systemd_notify_reloaded();
	if (signals.upgrade_waits)
		upgrade_begin();
	if (signals.reload_waits && signals.reload_soon)
		event_later(signals.reload_soon, &now);
	signals.upgrade_waits = signals.reload_waits = false;
}

static const struct {
	int number;
	event_callback_fn fn;
} table[] = {
	{SIGINT, on_stop},
	{SIGTERM, on_stop},
	{SIGHUP, on_hangup},
	{SIGUSR1, on_drain},
	{SIGUSR2, on_upgrade},
};
_Static_assert(sizeof(table) / sizeof(table[0]) == SIGNALS,
	"each signal has its event");

/* Puts on_stop_signal() before libevent's handler, which passes the signal to
 * the control loop. */
static int precede(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) != 0)
		return -1;
	signals.pass_on = action.sa_handler;
	action.sa_sigaction = on_stop_signal;
	action.sa_flags |= SA_SIGINFO;
	return sigaction(number, &action, NULL);
}

int signals_init(struct event_base *base)
{
	signals.reload_soon = evtimer_new(base, on_reload, NULL);
	if (!signals.reload_soon) {
		log_core(RELAY_ERROR, "no memory for signals");
		return -1;
	}
	reloading_init(tell_reload);
	for (size_t i = 0; i < SIGNALS; i++) {
		errno = ENOMEM;
		signals.events[i] =
			evsignal_new(base, table[i].number, table[i].fn, NULL);
		if (!signals.events[i] ||
			evsignal_add(signals.events[i], NULL) != 0 ||
			(table[i].fn == on_stop &&
				precede(table[i].number) != 0)) {
			log_core(RELAY_ERROR, "cannot handle %s: %s",
				signal_name(table[i].number), strerror(errno));
			signals_finish();
			return -1;
		}
	}
	return 0;
}

void signals_default(void)
{
	signals_finish();
	for (size_t i = 0; i < SIGNALS; i++)
		(void)signal(table[i].number, SIG_DFL);
}

static void exit_at_once(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

void signals_exit_at_once(void)
{
	struct sigaction action = {.sa_handler = exit_at_once};
	sigset_t all, before;

	/* No signal may arrive between the two handlers. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* The control loop, which called the events, no longer runs. */
	signals_finish();
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* By default the other signals would end the process at once. */
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < SIGNALS; i++)
		if (table[i].fn != on_stop)
			sigaction(table[i].number, &action, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void signals_finish(void)
{
	if (signals.reload_soon)
		event_free(signals.reload_soon);
	signals.reload_soon = NULL;
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals.events[i])
			event_free(signals.events[i]);
		signals.events[i] = NULL;
	}
}
