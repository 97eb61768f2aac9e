/* SPDX-License-Identifier: MPL-2.0 */

/* What the two processes of an upgrade use of the rest of the server. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "host/host.h"
#include "host/reloading.h"
#include "life/drain.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/new_process.h"
#include "life/own_identity.h"
#include "life/pass_on.h"
#include "life/systemd_notify.h"
#include "life/upgrade_accept.h"
#include "life/upgrade_prepare.h"
#include "life/upgrade_tell.h"
#include "log/log.h"
#include "peers/conn_end.h"
#include "peers/conn_import.h"
#include "peers/conn_state.h"
#include "peers/listeners_inherited.h"
#include "peers/peer_metrics.h"
#include "workers/workers.h"
#include "workers/workers_answer.h"

#include "takeover.h"

#define CHILD ((pid_t)1 << 22) /* no process has this number */

struct world world;

void world_fail(const char *what)
{
	(void)fprintf(stderr, "takeover: %s\n", what);
	abort();
}

static void must(bool holds, const char *what)
{
	if (!holds)
		world_fail(what);
}

void world_check(void)
{
	bool old = !world.gone && world.accepts && !world.left;

	must(!old || !world.serves, "both processes accept");
}

void world_check_end(void)
{
	const struct upgrade_state *old = &instance->life->upgrade;

	must(world.gone || old->stage == STAGE_NONE || old->stage == STAGE_OVER,
		"an upgrade does not end");
	must(world.gone || !world.passes_on || old->channel >= 0,
		"connections are passed on to nobody");
	must(world.told_to_end || world.serves ||
			(!world.gone && world.accepts && !world.left) ||
			world.orphaned,
		"no process accepts");
	must(!world.reload_waits || world.told_to_end || world.lost,
		"a reload has reached nobody");
	if (world.lost || world.told_to_end || !world.gone)
		return;
	must(world.imported == world.handed_back,
		"a connection that came back is lost");
	must(world.told_bytes == world.forwarded,
		"the new process does not know all traffic");
}

void world_end_new(int status)
{
	struct takeover_state *state = &instance->life->takeover;

	if (!world.runs || world.ended)
		return;
	state->hand_back_channel = -1;
	handover_close(&state->channel, &state->channel_event);
	if (world.other_end >= 0)
		(void)close(world.other_end);
	world.other_end = -1;
	world.ended = true;
	world.serves = false;
	world.lost = true;
	world.orphaned = world.left || status == 0;
	world.status = status;
	if (instance->life->upgrade.child_event)
		event_active(instance->life->upgrade.child_event, EV_SIGNAL, 1);
}

/* For both. */

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return 0;
}

/* Of the old process. */

void relay_server_stop(void)
{
	world.gone = true;
}

struct workers_ask {
	struct event *timer;
	void (*over)(bool answer, void *arg);
	void *arg;
};

void workers_ask_free(struct workers_ask *ask)
{
	if (ask)
		event_free(ask->timer);
	free(ask);
}

/* In a later turn of the loop. */
static void answer(evutil_socket_t fd, short what, void *arg)
{
	const struct workers_ask ask = *(struct workers_ask *)arg;

	(void)fd;
	(void)what;
	workers_ask_free(arg);
	ask.over(true, ask.arg);
}

struct workers_ask *workers_ask(void (*over)(bool answer, void *arg), void *arg)
{
	struct workers_ask *ask = calloc(1, sizeof(*ask));

	must(ask, "no memory");
	ask->over = over;
	ask->arg = arg;
	ask->timer = evtimer_new(instance->life->upgrade.base, answer, ask);
	must(ask->timer, "no memory");
	event_active(ask->timer, EV_TIMEOUT, 0);
	return ask;
}

void upgrade_accept_end(void)
{
	must(world.accepts && !world.left, "it does not accept any more");
	world.accepts = false;
}

void upgrade_accept_again(void)
{
	must(!world.accepts && !world.left, "it has not stopped to accept");
	world.accepts = true;
}

void upgrade_accept_leave(void)
{
	must(!world.accepts && !world.left, "it leaves while it accepts");
	must(world.serves || world.ended, "it leaves, and nobody serves");
	world.left = true;
}

void pass_on_begin(int channel)
{
	must(channel >= 0 && !world.passes_on, "it passes on twice");
	world.passes_on = true;
}

void pass_on_end(void)
{
	world.passes_on = false;
}

void pass_on_finish(void)
{
	pass_on_end();
}

void conn_import_onward(int fd, const void *data, size_t len)
{
	(void)fd;
	(void)data;
	(void)len;
	world_fail("a connection comes that nobody has sent");
}

void conn_import(int fd, const void *data, size_t len)
{
	must(fd >= 0 && len == 3 && memcmp(data, "abc", 3) == 0,
		"a connection comes back damaged");
	world.imported++;
	must(close(fd) == 0, "its descriptor is none");
}

void conn_import_proxied(int fd, const void *data, size_t len)
{
	must(len > sizeof(struct conn_import_proxied),
		"a connection of a proxy comes back damaged");
	conn_import(fd, (const char *)data + sizeof(struct conn_import_proxied),
		len - sizeof(struct conn_import_proxied));
}

/* Every second one is of a proxy. */
bool conn_export_proxied(
	const struct relay_conn *conn, struct conn_import_proxied *out)
{
	(void)conn;
	memset(out, 0, sizeof(*out));
	return world.handed_back % 2;
}

void drain_begin(enum relay_drain how)
{
	must(how == RELAY_DRAIN_MOVE && !world.drains, "it drains twice");
	world.drains = true;
}

void drain_call_off(void)
{
	must(world.drains, "it does not drain");
	world.drains = false;
}

enum relay_drain relay_draining(void)
{
	return world.drains ? RELAY_DRAIN_MOVE : RELAY_DRAIN_NONE;
}

int systemd_notify_main_pid(pid_t pid)
{
	must(pid == CHILD && !world.told_main, "it is told twice");
	must(world.serves || world.ended || world.gone,
		"the service manager is told too early");
	world.told_main = true;
	return 0;
}

const struct core_conf *host_core(void)
{
	static const struct core_conf conf = {
		.keys = "", .upgrade_timeout_ms = 60000};

	return &conf;
}

int64_t host_drain(enum relay_drain how)
{
	(void)how;
	return 0;
}

void reloading_begin(void)
{
	must(!world.left, "it reloads what another one serves");
	world.reload_waits = false;
}

int64_t relay_metric_value(struct relay_ctx *cx, const char *owner,
	const char *name, const char *label)
{
	(void)cx;
	(void)owner;
	(void)name;
	(void)label;
	return world.forwarded;
}

const char *upgrade_objection(void)
{
	const struct upgrade_state *state = &instance->life->upgrade;

	return state->pid || state->stage != STAGE_NONE ? "one is under way"
							: NULL;
}

void upgrade_prepare(void (*over)(bool started))
{
	world.prepared = over;
}

void upgrade_prepare_stop(void)
{
	world.prepared = NULL;
}

/* One that is killed before it has begun may begin nevertheless. */
void new_process_kill(pid_t pid)
{
	must(pid == CHILD, "a stranger is killed");
	if (world.begun || !world.misses_kill)
		world_end_new(9);
}

void new_process_interrupt(pid_t pid)
{
	must(pid == CHILD, "a stranger is interrupted");
}

int new_process_ended(pid_t pid, bool *well)
{
	must(pid == CHILD, "a stranger has ended");
	*well = world.status == 0;
	return world.ended ? 0 : -1;
}

void new_process_describe_end(int status, char *out, size_t cap)
{
	(void)snprintf(out, cap, "ended with %d", status);
}

int __wrap_kill(pid_t pid, int number);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags);

int __wrap_kill(pid_t pid, int number)
{
	must(pid == CHILD && number == SIGHUP, "a stranger gets a signal");
	world.reload_waits = false;
	return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int flags)
{
	(void)flags;
	must(pid == CHILD, "it waits for a stranger");
	if (!world.ended) /* it was killed as it began */
		world_end_new(9);
	if (status)
		*status = world.status << 8;
	world.runs = false;
	return pid;
}

/* Of the new process. */

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	(void)which;
	(void)value;
	world.told_bytes += by;
}

struct metrics_shard *metrics_shard(int worker)
{
	(void)worker;
	return NULL;
}

void listeners_drain_inherited(void)
{
	must(world.left || world.gone, "queues are taken that are in use");
}

void conn_end(struct relay_conn *conn, enum relay_reason reason)
{
	must(reason == RELAY_END_MOVED, "it ends for another reason");
	conn->ended = true;
}

int __wrap_setpgid(pid_t pid, pid_t group);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int64_t __wrap_clock_ms(void);
static int64_t now_ms;

int __wrap_setpgid(pid_t pid, pid_t group)
{
	(void)pid;
	(void)group;
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	char look;

	must(n == 1, "it waits for more than the channel");
	while (!steps_while_waiting())
		if (recv(fds->fd, &look, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
			return 1;
	now_ms += ms;
	return 0;
}

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}
