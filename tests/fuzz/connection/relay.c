/* SPDX-License-Identifier: MPL-2.0 */

/* The server in this process.  It starts and stops as in core/life/server.c. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cgroup.h"
#include "base/instance.h"
#include "base/posts.h"
#include "base/rights.h"
#include "config/config.h"
#include "config/flags.h"
#include "host/core_options_change.h"
#include "host/host.h"
#include "http/http.h"
#include "life/drain.h"
#include "life/life_state.h"
#include "life/metric_tables.h"
#include "life/own_identity.h"
#include "life/rooms.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "modules/catalog.h"
#include "modules/module_log.h"
#include "modules/option_files_read.h"
#include "modules/registrations.h"
#include "net/capacity.h"
#include "net/kernel_memory.h"
#include "net/name_lookup.h"
#include "peers/listeners.h"
#include "peers/listeners_change.h"
#include "peers/peers.h"
#include "peers/stop.h"
#include "tls/tls.h"
#include "tls/tls_start.h"
#include "workers/worker_threads.h"
#include "workers/workers.h"

#include "configurations.h"
#include "devices.h"
#include "relay.h"
#include "sim.h"

/* A loop that is not idle after this many rounds never will be. */
#define ROUNDS_MOST 100000

static struct relay {
	struct instance rooms;
	char folder[40];
	int64_t idle_ms[RELAY_WORKERS + 1]; /* until the next timer; -1: none */
} relays[CONFIGURATIONS], *present;
static bool broke; /* the loop that runs has nothing more to do */
const char *relay_modules = MODULE_DIR;

static unsigned number(void)
{
	return (unsigned)(present - relays);
}

static struct server_shared *shared(void)
{
	return &instance->life->shared;
}

static void check(int result, const char *what)
{
	if (result != 0)
		sim_die("the start failed: %s", what);
}

static void path_of(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size, "%s/%s", present->folder, name);
}

/* Each bit of `without` leaves one of the modules out that may leave. */
static void write_configuration(unsigned without)
{
	const struct configuration *one = &configurations[number()];
	char conf_path[64];
	FILE *file;

	path_of(conf_path, sizeof(conf_path), "conf");
	file = fopen(conf_path, "w");

	if (!file)
		sim_die("cannot write %s", conf_path);
	(void)fprintf(file,
		"listen = { \":22067\" }\n"
		"status-srv = \"\"\n"
		"modules = { %s%srelay%s%s }\n"
		"workers = %d\n"
		"keys = \"%s\"\n"
		"quota {\nstate-file = \"%s/quota.state\"\n"
		"state-required = no\n"
		"time-zone = UTC\n%s}\n%s",
		/* What came while it was away exceeds what it allows. */
		without & 1 && !one->per_source ? "" : "bounds, ",
		without & 2 ? "" : "access, ", without & 4 ? "" : ", quota",
		without & 8 ? "" : ", rate-limit", RELAY_WORKERS,
		present->folder, present->folder, one->quota, one->rest);
	check(fclose(file), conf_path);
}

static void find_modules(void)
{
	struct server_shared *server = shared();
	struct relay_err err;
	char conf_path[64];

	path_of(conf_path, sizeof(conf_path), "conf");
	server->flags.conf = strdup(conf_path);
	server->flags.conf_given = true;
	check(catalog_init(&server->catalog, relay_modules, &err), err.text);
	check(catalog_scan(&server->catalog, &err), err.text);
	host_init(&server->catalog, &server->flags, &server->control);
}

/* What a drain asks: there is no upgrade, and the server does not end. */

static bool holds_nothing(void)
{
	return false;
}

static void go_on(void)
{
}

static const struct drain_owner nobody = {
	.held = holds_nothing, .ended = go_on};

static void build_up(const struct core_conf *core)
{
	struct server_shared *server = shared();
	struct peers_conf peers = {
		.workers = RELAY_WORKERS,
		.network_buffer = (size_t)core->network_buffer,
		.pipe_size = (size_t)core->pipe_size,
		.socket_buffer = (int)core->socket_buffer,
		.answer_timeout_ms = core->answer_timeout_ms,
	};
	struct relay_err err;

	kernel_memory_bound(
		core->session_memory, &(struct cgroup_limit){.most = 0});
	worker_threads_introduce();
	registrations_add(http_withdraw);
	capacity_init(
		core->max_connections, 0, &(struct cgroup_limit){.most = 0});
	check(own_identity_load(
		      &server->identity, core->keys, &server->rights, &err),
		err.text);
	core_options_init(&server->identity);
	check(tls_init(tls_start_libctx(), tls_start_context(),
		      &server->identity, &err),
		err.text);
	check(metric_tables_init(RELAY_WORKERS), "metrics");
	check(peers_create(&peers), "workers");
	check(listeners_stage(core, NULL, &err), err.text);
	check(http_init(server->control.base, "", ""), "http");
	check(drain_init(server->control.base, &nobody), "drain");
}

/* Reads and writes files at once, instead of on another thread.  The thread
 * that prepares TLS is refused, and its work is done when it is needed: the
 * start forks, and under a sanitizer a child would wait for ever for a lock
 * that another thread held then. */
int __wrap_relay_thread_start(
	pthread_t *thread, void *(*run)(void *), void *arg);
int __wrap_relay_thread_start(
	pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (thread)
		return EAGAIN;
	(void)run(arg);
	return 0;
}

/* What is in these files does not outlive the process. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

/* The log: what it says is seen with FUZZ_TRACE only. */

static bool quiet(void)
{
	return !sim_trace;
}

static enum relay_level all_levels(void)
{
	return RELAY_DEBUG;
}

static void ignore(const struct relay_log_record *record, bool all)
{
	(void)record;
	(void)all;
}

static const struct log_sinks sinks = {
	.any = quiet, .level = all_levels, .deliver = ignore};

/* libevent reports the calls that the input lets fail. */
static void no_warning(int severity, const char *text)
{
	if (sim_trace)
		(void)fprintf(stderr, "libevent %d: %s\n", severity, text);
}

static void break_loop(void)
{
	broke = true;
	(void)event_base_loopbreak(loop_current->base);
}

static void begin(void)
{
	struct server_shared *server;
	struct config *config;
	struct relay_err err;

	(void)strcpy(present->folder, "/tmp/fuzz-connection.XXXXXX");
	if (!mkdtemp(present->folder))
		sim_die("no temporary folder");
	write_configuration(0);
	devices_write_server(present->folder);
	check(rooms_create(), "rooms");
	server = shared();
	check(loop_init(&server->control, RELAY_CONTROL), "loop");
	loop_current = &server->control;
	module_log_init();
	log_set_sinks(&sinks);
	loop_attach_log(&server->control);
	tls_start_begin();
	find_modules();
	check(tls_start_await(&err), err.text);
	tls_start_selftest();
	config = host_load();
	check(config ? 0 : -1, "configuration");
	build_up(config_core(config));
	check(host_start(config), "modules");
	check(tls_start_settle(&server->identity, host_core()->keys, &err),
		err.text);
	check(listeners_open(&err), err.text);
	listeners_commit();
	host_ready();
	relay_calm_down();
}

void relay_choose(unsigned which)
{
	present = &relays[which % CONFIGURATIONS];
	instance = &present->rooms;
	loop_current = instance->life ? &shared()->control : NULL;
}

void relay_begin(void)
{
	event_set_log_callback(no_warning);
	sim_on_idle = break_loop;
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		relay_choose(i);
		/* Modules share what they have seeded in all servers. */
		sim_seed(1);
		begin();
	}
}

bool __real_posts_take(struct posts *posts, int64_t until_ms);
bool __wrap_posts_take(struct posts *posts, int64_t until_ms);

/* The control thread waits for the workers. */
bool __wrap_posts_take(struct posts *posts, int64_t until_ms)
{
	while (!__real_posts_take(posts, 0)) {
		if (sim_us >= until_ms * 1000)
			sim_die("a worker does not end its connections");
		relay_wait(10);
	}
	return true;
}

bool relay_reload(unsigned without)
{
	struct readings *readings = NULL;
	struct name_lookup *names = NULL;
	struct config *config;
	int result = -1;

	write_configuration(without);
	config = host_load();
	if (config)
		readings = host_read(config, NULL, NULL);
	if (readings) {
		readings_wait(readings);
		names = core_options_look_up(
			host_core(), config_core(config), NULL, NULL);
	}
	if (names)
		result = host_change(config, readings, names);
	name_lookup_free(names);
	readings_free(readings);
	if (result != 0)
		config_free(config);
	return result == 0;
}

void relay_drain(unsigned how)
{
	if (relay_draining() != RELAY_DRAIN_NONE)
		drain_call_off();
	else
		drain_begin(how & 1 ? RELAY_DRAIN_LEAVE : RELAY_DRAIN_MOVE);
}

void relay_as_before(void)
{
	drain_call_off();
	if (!relay_reload(0))
		sim_die("the server does not reload what it started with");
}

void relay_stop(void)
{
	for (unsigned i = 0; i < RELAY_WORKERS; i++)
		workers_get(i)->running = true;
	if (stop_within(host_core()->stop_grace_ms) != 0)
		sim_die("the server does not stop");
	for (unsigned i = 0; i < RELAY_WORKERS; i++)
		workers_get(i)->running = false;
}

static void end(void)
{
	struct server_shared *server = shared();
	char command[64];

	drain_finish();
	workers_stop();
	host_stop();
	http_finish();
	workers_destroy();
	listeners_finish();
	tls_finish();
	identity_finish(&server->identity);
	log_flush();
	loop_deliver(&server->control);
	host_finish();
	flags_free(&server->flags);
	log_detach();
	catalog_finish(&server->catalog);
	tls_start_finish();
	loop_current = NULL;
	loop_finish(&server->control);
	rooms_destroy();
	(void)snprintf(command, sizeof(command), "rm -rf %s", present->folder);
	(void)!system(command);
}

void relay_end(void)
{
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		relay_choose(i);
		end();
	}
	for (int kind = SIM_FREE + 1; kind <= SIM_EVENT; kind++)
		if (sim_count((enum sim_kind)kind))
			sim_die("%u descriptors of kind %d are open at the end",
				sim_count((enum sim_kind)kind), kind);
}

const struct configuration *relay_configuration(void)
{
	return &configurations[number()];
}

/* The loops. */

static struct loop *loop_at(unsigned i)
{
	return i < RELAY_WORKERS ? &workers_get(i)->loop : &shared()->control;
}

/* One round.  Returns whether there was anything to do. */
static bool turn(unsigned i)
{
	struct loop *loop = loop_at(i), *before = loop_current;
	bool was_broken = broke, busy;

	/* It may run while another one does, which then goes on. */
	broke = false;
	loop_current = loop;
	if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
		sim_die("a loop has failed");
	loop_current = before;
	if (broke)
		present->idle_ms[i] = sim_idle->next_ms;
	busy = !broke;
	broke = was_broken;
	return busy;
}

bool relay_step(unsigned worker)
{
	return turn(worker % (RELAY_WORKERS + 1));
}

void relay_calm_down(void)
{
	unsigned rounds = 0;
	bool busy = true;

	while (busy) {
		busy = false;
		for (unsigned i = 0; i <= RELAY_WORKERS; i++)
			while (turn(i)) {
				busy = true;
				if (++rounds > ROUNDS_MOST)
					sim_die("loop %u never comes to rest",
						i);
			}
	}
}

void relay_wait(int64_t ms)
{
	const int64_t until = sim_us + ms * 1000;

	relay_calm_down();
	while (sim_us < until) {
		int64_t next = until - sim_us;

		for (unsigned i = 0; i <= RELAY_WORKERS; i++) {
			if (present->idle_ms[i] >= 0 &&
				present->idle_ms[i] * 1000 < next)
				next = present->idle_ms[i] * 1000;
		}
		sim_us += next;
		relay_calm_down();
	}
}

void relay_leap(int64_t until_us)
{
	if (until_us > sim_us)
		sim_us = until_us;
	relay_calm_down();
}

struct sim_tcp *relay_connect(unsigned worker, const struct sockaddr_in6 *from)
{
	return sim_connect(
		number() * RELAY_WORKERS + worker % RELAY_WORKERS, from);
}

int64_t relay_metric(const char *module, const char *name, const char *value)
{
	return metrics_value(NULL, module, name, value);
}
